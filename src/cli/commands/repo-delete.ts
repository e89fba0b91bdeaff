import { isAbsent, RegistryError, type RepositoryInfo } from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { detailedExitcode, dryRun, format } from "../options.ts";
import { count } from "../render/text.ts";
import { openRepository, type ServedRepository } from "../service-place.ts";
import { agree, force } from "../table/service-options.ts";
import { noRepository } from "./repo-info.ts";

interface RepositoryDeletion extends Pick<RepositoryInfo, "tags" | "images" | "size"> {
  readonly name: string;
  /** Whether it was done, or only shown. */
  readonly done: boolean;
  /** Some of the tags that go with it. */
  readonly some: readonly string[];
  /** There are images, though no tag is listed. */
  readonly untagged?: true;
}

export const run: Run<[repository: string]> = async ([place], cli) => {
  const { get, out, signal } = cli;
  const at = await openRepository(place, cli);
  const plan = await planOf(at, cli);
  if (get(dryRun)) {
    await out.print(plan, deletionText);
    return get(detailedExitcode) ? "changes" : "done";
  }
  const stop = await agreed(plan, cli);
  if (stop) return stop;
  await at.service.deleteRepository(at.repository, { signal, force: get(force) });
  await out.print({ ...plan, done: true }, deletionText);
  return "done";
};

/** Looks at what goes. Throws CONFLICT for a repository that is not empty, unless that is meant. */
async function planOf(at: ServedRepository, { get, signal }: Cli): Promise<RepositoryDeletion> {
  const { name, host, repository, service } = at;
  const info = await service.describeRepository(repository, { signal });
  if (!info) throw noRepository(at);
  const { tags, images, size } = info;
  const some = await someTags(at, signal);
  const isLeft = some.length === 0 && !tags && !images && (await hasImage(at, signal));
  const plan: RepositoryDeletion = {
    name,
    done: false,
    ...(tags !== undefined && { tags }),
    ...(images !== undefined && { images }),
    ...(size !== undefined && { size }),
    some,
    ...(isLeft && { untagged: true }),
  };
  const isEmpty = contents(plan) === "";
  if (isEmpty || get(force)) return plan;
  throw new RegistryError("CONFLICT", `${name} is not empty: it has ${contents(plan)}`, {
    host,
    hint: "nothing was deleted; say --force to delete it with all that is in it",
  });
}

const shown = 10;

async function someTags({ service, repository }: ServedRepository, signal: AbortSignal): Promise<readonly string[]> {
  const some: string[] = [];
  try {
    for await (const tag of service.repository(repository).tags({ signal })) {
      some.push(tag);
      if (some.length === shown) break;
    }
  } catch (error) {
    // A repository that nothing was pushed to may be none to the distribution API.
    if (!isAbsent(error)) throw error;
  }
  return some;
}

/** Whether there are images that no tag names: what a service lists of itself tells, the distribution API does not. */
async function hasImage({ service, repository }: ServedRepository, signal: AbortSignal): Promise<boolean> {
  if (service.provider.abilities.images.how !== "native") return false;
  try {
    for await (const _ of service.images(repository, { signal })) return true;
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  return false;
}

/** Whether the user wants it. Answers how to end where they do not. */
async function agreed(plan: RepositoryDeletion, { get, out, reporter, confirm }: Cli): Promise<ExitName | undefined> {
  if (get(agree)) return undefined;
  if ((get(format) ?? "table") === "table") reporter.say(deletionText(plan).trimEnd());
  const answer = await confirm(`Delete ${plan.name}?`);
  if (answer === true) return undefined;
  if (answer === false) {
    reporter.say("nothing was deleted");
    return "failed";
  }
  await out.print(plan, () => "");
  throw new RegistryError("INVALID", `nothing was deleted: to delete ${plan.name} takes a yes`, {
    hint: "say --yes to delete it",
  });
}

function deletionText(plan: RepositoryDeletion): string {
  const { name, done, some } = plan;
  const what = contents(plan);
  const more = plan.tags !== undefined && plan.tags > some.length ? " and more" : some.length === shown ? " ..." : "";
  const names = some.length > 0 ? `: ${some.join(", ")}${more}` : "";
  return `${done ? "deleted" : "would delete"} ${name}${what ? ` with ${what}${names}` : `, which ${done ? "was" : "is"} empty`}\n`;
}

/** What is in it; empty where nothing is. */
function contents({ tags, images, some, untagged }: RepositoryDeletion): string {
  const known = [
    tags
      ? count(tags, "tag")
      : some.length > 0
        ? `${some.length === shown ? "at least " : ""}${count(some.length, "tag")}`
        : "",
    images ? count(images, "image") : untagged ? "images, though no tag is listed" : "",
  ];
  return known.filter(Boolean).join(" and ");
}
