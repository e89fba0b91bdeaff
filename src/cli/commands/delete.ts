import {
  RegistryError,
  isDigest,
  namesOf,
  tagsNeeding,
  tagsOf,
  tagTargets,
  tree,
  walkTree,
  type Digest,
  type Opened,
} from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { absent } from "../image.ts";
import { breakIndexes, detailedExitcode, dryRun, format, yes } from "../options.ts";
import { count } from "../render/text.ts";

/** One thing that goes. */
interface Step {
  readonly kind: "tag" | "manifest";
  readonly reference: string;
  readonly digest: Digest;
  readonly artifactType?: string;
  /** The tags that go with a manifest. */
  readonly tags?: readonly string[];
}

interface Deletion {
  readonly name: string;
  readonly digest: Digest;
  /** Whether it was done, or only shown. */
  readonly done: boolean;
  readonly steps: readonly Step[];
  /** Tags of the same image that stay. */
  readonly kept: readonly string[];
}

export const run: Run<[reference: string]> = async ([reference], cli) => {
  const { get, client, out } = cli;
  const opened = (await client({ from: [reference] })).open(reference);
  if (opened.ref === undefined) {
    throw new RegistryError("INVALID", `${opened.name} names no tag and no digest`, {
      hint: "say which: REPOSITORY:TAG or REPOSITORY@DIGEST",
    });
  }
  const plan = await (isDigest(opened.ref) ? planDigest(opened, opened.ref, cli) : planTag(opened, opened.ref, cli));
  if (get(dryRun)) {
    await out.print(plan, deletionText);
    return get(detailedExitcode) ? "changes" : "done";
  }
  const stop = await agreed(plan, cli);
  if (stop) return stop;
  await carryOut(opened, plan, cli);
  await out.print({ ...plan, done: true }, deletionText);
  return "done";
};

async function planTag({ store, name }: Opened, tag: string, { signal }: Cli): Promise<Deletion> {
  const found = await store.head(tag, { signal });
  if (!found) throw absent(name);
  const siblings = await tagsOf(store, found.digest, { signal });
  const { digest } = found;
  return {
    name,
    digest,
    done: false,
    steps: [{ kind: "tag", reference: `${store.name}:${tag}`, digest }],
    kept: siblings.filter((one) => one !== tag),
  };
}

/** The manifest, its tags, and what is attached to it: that first, so that a failure leaves nothing dangling. */
async function planDigest({ store, name }: Opened, digest: Digest, { signal, get }: Cli): Promise<Deletion> {
  const [root, targets] = await Promise.all([tree(store, digest, { signal }), tagTargets(store, { signal })]);
  const attached = root.nodes
    .filter((node) => node.role !== "child")
    .flatMap((node) => [...walkTree(node)].filter(({ node }) => node.role !== "child"));
  const nodes = [...attached.sort((a, b) => b.depth - a.depth).map(({ node }) => node), root];
  const steps = new Map(
    nodes.map(({ descriptor: { digest: target, artifactType }, role }): [Digest, Step] => {
      const tags = namesOf(targets, target);
      const step: Step = {
        kind: "manifest",
        reference: `${store.name}@${target}`,
        digest: target,
        ...(role !== "root" && artifactType && { artifactType }),
        ...((role === "root" || tags.length > 0) && { tags }),
      };
      return [target, step];
    }),
  );
  const broken = get(breakIndexes) ? [] : await tagsNeeding(store, new Set(steps.keys()), targets, { signal });
  if (broken.length > 0) {
    throw new RegistryError(
      "CONFLICT",
      `${name} is a part of ${broken.map((tag) => `${store.name}:${tag}`).join(", ")}`,
      {
        hint: "nothing was deleted; delete what needs it first, or say --break-indexes",
      },
    );
  }
  return { name, digest, done: false, steps: [...steps.values()], kept: [] };
}

/** Whether the user wants it: one tag goes without a question. Answers how to end where they do not. */
async function agreed(plan: Deletion, { get, out, reporter, confirm }: Cli): Promise<ExitName | undefined> {
  if (plan.steps.every((step) => step.kind === "tag") || get(yes)) return undefined;
  // Where stdout is for programs, the plan is there.
  if ((get(format) ?? "table") === "table") for (const step of plan.steps) reporter.say(stepText(step, "would delete"));
  const answer = await confirm(
    `Delete ${count(plan.steps.length, "manifest")} and ${count(plan.steps.flatMap((step) => step.tags ?? []).length, "tag")}?`,
  );
  if (answer === true) return undefined;
  if (answer === false) {
    reporter.say("nothing was deleted");
    return "failed";
  }
  await out.print(plan, () => "");
  throw new RegistryError("INVALID", `nothing was deleted: ${plan.name} goes with all that is named above`, {
    hint: "say --yes to delete it",
  });
}

async function carryOut({ store }: Opened, { steps, kept }: Deletion, { signal }: Cli): Promise<void> {
  for (const { kind, reference, digest } of steps) {
    if (kind === "manifest") await store.deleteManifest(digest, { signal });
    else
      await store
        .deleteTag(reference.slice(store.name.length + 1), { signal })
        .catch((error: unknown) => throwWithWayOut(error, store.name, digest, kept));
  }
  await store.flush({ signal });
}

/** Where one tag cannot go alone, says what deleting the digest would take along. */
function throwWithWayOut(error: unknown, repository: string, digest: Digest, kept: readonly string[]): never {
  if (error instanceof RegistryError && error.code === "UNSUPPORTED") {
    const also = kept.length > 0 ? `, which would delete the tags ${kept.join(", ")} too` : "";
    const { message, host, status } = error;
    throw new RegistryError("UNSUPPORTED", message, {
      ...(host && { host }),
      ...(status && { status }),
      cause: error,
      hint: `nothing was deleted; there is: gantry delete ${repository}@${digest}${also}`,
    });
  }
  throw error;
}

function deletionText({ done, steps, kept }: Deletion): string {
  const lines = steps.map((step) => stepText(step, done ? "deleted" : "would delete"));
  const rest =
    steps[0]?.kind === "tag"
      ? [kept.length > 0 ? `the image stays, as ${kept.join(", ")}` : "the image stays, without a tag"]
      : [];
  return [...lines, ...rest].map((line) => `${line}\n`).join("");
}

function stepText({ kind, reference, digest, artifactType, tags = [] }: Step, verb: string): string {
  if (kind === "tag") return `${verb} tag ${reference} (${digest})`;
  const what = artifactType ? ` (${artifactType})` : "";
  return `${verb} ${reference}${what}${tags.length > 0 ? ` with ${tags.length === 1 ? "its tag" : "its tags"} ${tags.join(", ")}` : ""}`;
}
