import {
  formatHoldings,
  makeBundle,
  parseHoldings,
  placesOfBundle,
  placesOfPlan,
  placesOfRules,
  planOfBundle,
  planSyncOffline,
  recordHoldings,
  type Applied,
  type Client,
  type Ending,
  type Holdings,
  type Plan,
  type PlanSyncOptions,
} from "../index.ts";
import { syncPlaces, type SyncRule } from "../policy/index.ts";
import type { Cli } from "./cli.ts";
import type { ExitName } from "./exit-codes.ts";
import { offerPlan } from "./plans.ts";
import { readLongDocument } from "./documents.ts";
import { writeText } from "./files.ts";
import { count, formatSize, plain } from "./render/text.ts";
import { have, record, to } from "./table/bundle-options.ts";

/** The most bytes of a record: that of a registry with a million images. */
const longestRecord = 1 << 29;

/** A plan, and how it ended once it has. */
export interface Offered {
  readonly plan: Plan;
  readonly applied: () => Applied | undefined;
  readonly ended: Promise<ExitName>;
}

/** Plans what goes into a bundle, and with --yes writes it. */
export async function offerBundle(
  path: string,
  rules: readonly SyncRule[],
  options: PlanSyncOptions,
  cli: Cli,
): Promise<Offered> {
  const client = await cli.client(syncPlaces(rules));
  const held = await readHoldings(cli);
  const { cache: _, source: __, only: ___, ...planning } = options;
  const plan = onlyCopies(await planSyncOffline(client, rules, held, planning));
  let applied: Applied | undefined;
  const writer: Client = {
    ...client,
    async apply(_plan, { signal, limitRate, onEvent } = {}) {
      const { manifest, failures } = await makeBundle(client, plan, path, {
        ...(held && { have: held }),
        ...(signal && { signal }),
        ...(limitRate !== undefined && { limitRate }),
        ...(onEvent && { onEvent }),
      });
      const bytes = manifest.images.reduce((sum, image) => sum + image.bytes, 0);
      cli.reporter.say(`${plain(path)}: ${count(manifest.images.length, "image")}, ${formatSize(bytes)} of blobs`);
      return (applied = endingsOf(plan, failures));
    },
  };
  return { plan, applied: () => applied, ended: offerPlan(plan, cli, writer) };
}

/** Plans what a bundle does at its destinations, and with --yes does it. */
export async function offerBundled(path: string, cli: Cli): Promise<Offered> {
  const { get, signal } = cli;
  const target = get(to);
  const client = await cli.client({
    from: [],
    to: target === undefined ? await placesOfBundle(path, { signal }) : [target],
  });
  const now = new Date();
  const plan = await planOfBundle(client, path, { now, signal, ...(target !== undefined && { to: target }) });
  const places = [...placesOfPlan(plan), ...plan.kept.map(({ at }) => at.replace(/(?::[^:/]+|@.*)$/, ""))];
  let applied: Applied | undefined;
  const file = get(record);
  const ended = offerPlan(plan, cli, client, async (result) => {
    applied = result;
    if (file !== undefined) await writeRecord(file, places, client, cli);
  });
  return { plan, applied: () => applied, ended };
}

/** Writes down what the destinations of the rules have. */
export async function recordDestinations(file: string, rules: readonly SyncRule[], cli: Cli): Promise<void> {
  const { to: places } = syncPlaces(rules);
  const client = await cli.client({ from: [], to: places });
  await writeRecord(file, await placesOfRules(client, rules, { signal: cli.signal }), client, cli);
}

async function writeRecord(
  file: string,
  places: readonly string[],
  client: Client,
  { signal, reporter }: Cli,
): Promise<void> {
  const held = await recordHoldings(client, places, { now: new Date(), signal });
  await writeText(file, formatHoldings(held));
  reporter.say(`${plain(file)}: ${count(Object.keys(held.repositories).length, "repository", "repositories")}`);
}

async function readHoldings({ get, stdin }: Cli): Promise<Holdings | undefined> {
  const file = get(have);
  return file === undefined ? undefined : parseHoldings(await readLongDocument(file, stdin, longestRecord));
}

/** What is not a copy is done where the bundle is applied, or not at all. */
function onlyCopies(plan: Plan): Plan {
  const steps = plan.steps.flatMap((step) => {
    if (step.do !== "copy") return [];
    const { after: _, ...rest } = step;
    return [rest];
  });
  return { ...plan, steps };
}

function endingsOf({ steps }: Plan, failures: readonly { readonly at: string; readonly error: unknown }[]): Applied {
  const failed = new Map(failures.map(({ at, error }) => [at, error]));
  const endings = steps.map(({ id, at }): [string, Ending] => {
    if (!failed.has(at)) return [id, { outcome: "done" }];
    const error = failed.get(at);
    return [id, { outcome: "failed", why: error instanceof Error ? error.message : String(error), error }];
  });
  return { endings: new Map(endings), complete: failures.length === 0 };
}
