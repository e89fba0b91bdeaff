import {
  simulateLifecycle,
  type LifecycleDecision,
  type ImageInfo,
  type LifecycleDialect,
  type LifecycleMatch,
} from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { dialectAt, policyAt, policyWords } from "../lifecycle-place.ts";
import { nothingLeft, policyFor, tellLosses } from "../policy-file.ts";
import type { Column } from "../render/table.ts";
import { count, formatMoment, formatSize } from "../render/text.ts";
import { openRepository, type ServedRepository } from "../service-place.ts";
import { everything, useCreated } from "../table/lifecycle-options.ts";

/** What becomes of an image. */
interface Fate extends LifecycleMatch {
  /** Why, where that was worked out here. */
  readonly reason?: string;
}

const columns: readonly Column<Fate>[] = [
  { title: "ACTION", value: (item) => item.action },
  { title: "TAGS", value: (item) => item.tags.join(", ") || "-" },
  { title: "DIGEST", value: (item) => item.digest ?? "", ifTold: true },
  { title: "PUSHED", value: (item) => formatMoment(item.pushed), ifTold: true },
  { title: "SIZE", value: (item) => (item.size === undefined ? "" : formatSize(item.size)), right: true, ifTold: true },
  { title: "RULE", value: (item) => item.rule ?? "", ifTold: true },
  { title: "WHY", value: (item) => item.reason ?? "", ifTold: true },
];

export const run: Run<[repository: string, file?: string]> = async ([place, file], cli) => {
  const { signal, out, reporter } = cli;
  const at = await openRepository(place, cli);
  const dialect = dialectAt(at);
  // What a service without policies has to say of it, it says itself.
  if (!dialect) return void (await Array.fromAsync(at.service.previewLifecycle(at.repository, undefined, { signal })));
  const given = file === undefined ? undefined : await policyFor(file, dialect, cli);
  if (given) tellLosses(given, cli);
  if (given && given.document === undefined) throw nothingLeft(dialect);
  const found = isTriedThere(at)
    ? at.service.previewLifecycle(at.repository, given?.document, { signal })
    : await tried(at, dialect, given?.document, cli);
  if (!found) return "notFound";
  const all: LifecycleMatch[] = [];
  await out.list(shown(found, all, cli), columns);
  reporter.say(summary(all));
  return "done";
};

const isTriedThere = ({ service }: ServedRepository): boolean =>
  service.provider.abilities.previewLifecycle.how !== "impossible";

/** What the policy would do by its dialect's rules; undefined where none is given and none is set. */
async function tried(
  at: ServedRepository,
  dialect: LifecycleDialect,
  given: unknown,
  cli: Cli,
): Promise<AsyncIterable<Fate> | undefined> {
  const { get, signal, reporter } = cli;
  const { service, repository, name } = at;
  const policy = given === undefined ? await policyAt(at, cli) : { dialect, document: given };
  if (!policy) return undefined;
  const title = service.provider.title;
  reporter.say(`${name}: ${title} does not try policies: this is worked out here, by a policy ${policyWords(policy)}`);
  const images = await Array.fromAsync(service.images(repository, { signal }));
  const decisions = simulateLifecycle(policy.dialect, policy.document, images, {
    now: Date.now(),
    repository,
    useCreated: get(useCreated),
  });
  return fates(decisions);
}

async function* fates(decisions: readonly LifecycleDecision<ImageInfo>[]): AsyncGenerator<Fate, void> {
  for (const { image, action, tags, rule, reason } of decisions) {
    const { digest, pushed, size } = image;
    yield {
      ...(digest !== undefined && { digest }),
      tags: action === "keep" ? image.tags : tags,
      ...(pushed !== undefined && { pushed }),
      ...(size !== undefined && { size }),
      action,
      ...(rule !== undefined && { rule }),
      reason,
    };
  }
}

/** Passes on what is to be shown, and keeps all for the sum. */
async function* shown(found: AsyncIterable<Fate>, all: LifecycleMatch[], { get }: Cli): AsyncGenerator<Fate, void> {
  for await (const fate of found) {
    all.push(fate);
    if (fate.action !== "keep" || get(everything)) yield fate;
  }
}

function summary(all: readonly LifecycleMatch[]): string {
  const going = all.filter(({ action }) => action === "delete");
  const archived = all.filter(({ action }) => action === "archive").length;
  const size = going.reduce((sum, one) => sum + (one.size ?? 0), 0);
  const freed = size > 0 ? ` (${formatSize(size)}, what they share counted each time)` : "";
  const more = archived > 0 ? `, and ${archived} be archived` : "";
  return going.length + archived === 0
    ? "nothing would go"
    : `${count(going.length, "image or tag", "images or tags")} would go${freed}${more}`;
}
