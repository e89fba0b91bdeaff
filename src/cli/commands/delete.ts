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
import { carryOut, type Deletion, type Failure, type Step } from "../deletion.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { absent } from "../image.ts";
import { expectUnused } from "../in-use.ts";
import { breakIndexes, detailedExitcode, dryRun, format, yes } from "../options.ts";
import { count } from "../render/text.ts";

export const run: Run<[reference: string]> = async ([reference], cli) => {
  const { get, out } = cli;
  const client = await cli.client({ from: [reference] });
  const opened = client.open(reference);
  if (opened.ref === undefined) {
    throw new RegistryError("INVALID", `${opened.name} names no tag and no digest`, {
      hint: "say which: REPOSITORY:TAG or REPOSITORY@DIGEST",
    });
  }
  const { location } = opened;
  if (location.transport === "registry" && location.reference.tag !== undefined && location.reference.digest) {
    throw new RegistryError("INVALID", `${opened.name} names a tag and a digest`, {
      hint: "say which is to go: REPOSITORY:TAG, or REPOSITORY@DIGEST with all its tags",
    });
  }
  const plan = await (isDigest(opened.ref) ? planDigest(opened, opened.ref, cli) : planTag(opened, opened.ref, cli));
  await expectUnused(plan, opened.store.name, client, cli);
  if (get(dryRun)) {
    await out.print(plan, deletionText);
    return get(detailedExitcode) ? "changes" : "done";
  }
  const stop = await agreed(plan, cli);
  if (stop) return stop;
  const { steps, failures } = await carryOut(client, opened, plan, cli);
  if (failures.length === 0) {
    await out.print({ ...plan, done: true }, deletionText);
    return "done";
  }
  if (steps.length > 0) await out.print({ ...plan, steps, done: true }, deletionText);
  throw failureOf(failures, steps.length);
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

/** A failure alone is the command's; of many, it is told which. */
function failureOf(failures: readonly Failure[], done: number): RegistryError {
  const { error } = failures[0]!;
  if (failures.length === 1 && done === 0) return error;
  const { host, status, hint } = error;
  const list = failures.map((failure) => `${failure.reference}: ${failure.error.message}`).join("; ");
  return new RegistryError(
    done > 0 ? "PARTIAL" : error.code,
    `${count(failures.length, "manifest")} could not be deleted: ${list}`,
    { ...(host && { host }), ...(status && { status }), ...(hint && { hint }), cause: error },
  );
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
