import { hash } from "node:crypto";
import { isAbsolute, join, resolve } from "node:path";
import { isRegistryError, RegistryError, type Applied, type Plan, type PlanSyncOptions } from "../../index.ts";
import {
  formatReport,
  parseSync,
  syncPlaces,
  withNeighbours,
  type ReportFormat,
  type SyncRule,
} from "../../policy/index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { expectWritable, writeText } from "../files.ts";
import { dryRun } from "../options.ts";
import { offerPlan, readGuards } from "../plans.ts";
import { nameOf, readDocument } from "../documents.ts";
import { count, plain } from "../render/text.ts";
import { act, journal, out } from "../table/plan-options.ts";
import * as bundle from "../table/bundle-options.ts";
import { cache, explain, only, recheck, report } from "../table/sync.ts";
import { drain, listen, watch } from "../table/watch-options.ts";

export const run: Run<[string | undefined]> = async ([file], cli) => {
  const { get, places, reporter } = cli;
  checkOptions(file, cli);
  for (const path of [...get(report), get(bundle.record)]) if (path !== undefined) await expectWritable(path);
  if (file === undefined) {
    const { offerBundled } = await import("../sync-bundle.ts");
    const { plan, applied, ended } = await offerBundled(get(bundle.from)!, cli);
    return endOf(plan, applied, ended);
  }
  const read = async (): Promise<readonly SyncRule[]> =>
    checkNames(parseSync(await readDocument(file, cli.stdin), places.env), get(only), file);
  if (get(watch)) {
    const { watchFile } = await import("../sync-watch.ts");
    await watchFile(file, read, planOptions(file, cli), cli);
    return "done";
  }
  const all = await read();
  const rules = chosen(all, get(only));
  const [target, recorded] = [get(bundle.to), get(bundle.record)];
  if (recorded !== undefined || target !== undefined) {
    const { offerBundle, recordDestinations } = await import("../sync-bundle.ts");
    if (target === undefined) return recordDestinations(recorded!, rules, cli);
    const { plan, applied, ended } = await offerBundle(target, rules, planOptions(file, cli), cli);
    return endOf(plan, applied, ended);
  }
  const client = await cli.client(syncPlaces(withNeighbours(rules, all)));
  const { plan, remember } = await client.planSync(all, { ...planOptions(file, cli), atOnce: get(act) });
  reporter.eachImage();
  let applied: Applied | undefined;
  const finish = async (): Promise<void> => {
    await remember(applied);
    for (const path of get(report)) {
      await writeText(path, formatReport(path.slice(path.lastIndexOf(".") + 1) as ReportFormat, plan, applied));
    }
  };
  if (!get(act)) await finish();
  const ended = offerPlan(plan, cli, client, async (result) => {
    applied = result;
    await finish();
  });
  return endOf(plan, () => applied, ended);
};

/** What goes with what. */
function checkOptions(file: string | undefined, { get }: Cli): void {
  const wrong = (message: string): RegistryError => new RegistryError("INVALID", message);
  if (get(act) && get(dryRun)) throw wrong("--yes does what --dry-run only shows: one of them is too many");
  const [from, target, recorded] = [get(bundle.from), get(bundle.to), get(bundle.record)];
  if (file === undefined && from === undefined)
    throw wrong("what is to be in sync is missing: name a FILE, or --from BUNDLE");
  if (file !== undefined && from !== undefined)
    throw wrong("a FILE and --from: a bundle knows by itself where all goes");
  if (get(bundle.have) !== undefined && (target === undefined || from !== undefined))
    throw wrong("--have goes with --to BUNDLE");
  if (from === undefined && target !== undefined && recorded !== undefined)
    throw wrong("--to cannot ask the destinations, and --record does: one of them is too many");
  if (from !== undefined && recorded !== undefined && !get(act))
    throw wrong("--record goes with --yes here: before, nothing is brought that could be written down");
  if (get(watch)) {
    const many = [from, target, recorded].some((one) => one !== undefined) || get(dryRun) || file === "-";
    if (many) throw wrong("--watch needs a FILE that it can read again, and goes with no bundle and no --dry-run");
    if (get(out) ?? get(journal)) throw wrong("--out and --journal are of one plan, and --watch makes many");
  } else if (get(listen) ?? get(drain)) throw wrong("--listen and --drain go with --watch");
}

/** The mappings that --only names; all without it. */
const chosen = (rules: readonly SyncRule[], names: readonly string[]): readonly SyncRule[] =>
  names.length === 0 ? rules : rules.filter(({ name }) => names.includes(name));

/** Throws INVALID where --only names what is not there. */
function checkNames(rules: readonly SyncRule[], names: readonly string[], file: string): readonly SyncRule[] {
  const unknown = names.find((name) => !rules.some((rule) => rule.name === name));
  if (unknown !== undefined) {
    throw new RegistryError("INVALID", `${file} has no mapping ${JSON.stringify(unknown)}`, {
      hint: `it has ${rules.map(({ name }) => name).join(", ")}`,
    });
  }
  return rules;
}

function planOptions(file: string, cli: Cli): PlanSyncOptions {
  const { get, places, signal, reporter } = cli;
  const kept = get(cache) ?? cacheFile(file, places);
  return {
    signal,
    from: nameOf(file),
    ...(get(only).length > 0 && { only: get(only) }),
    explain: get(explain),
    recheck: get(recheck),
    guards: () => readGuards(cli),
    ...(kept !== undefined && kept !== "none" && { cache: { file: kept } }),
    onWarning: (text) => reporter.say(plain(`warning: ${text}`)),
  };
}

/** A file system takes 255 bytes; .json and what the watch and a draft add come behind it. */
const longestName = 200;

/**
 * A file for each file of mappings, among what can be thrown away; none for what came from stdin. Its name is the path, and
 * a hash of long ones alone: node:crypto takes 5 ms to load.
 */
function cacheFile(file: string, { env, home, cwd }: Cli["places"]): string | undefined {
  if (file === "-") return undefined;
  const { XDG_CACHE_HOME: folder = "" } = env;
  const path = encodeURIComponent(resolve(cwd, file)).replaceAll("%2F", "+");
  const name = path.length > longestName ? hash("sha256", path, "hex") : path;
  return join(isAbsolute(folder) ? folder : join(home, ".cache"), "gantry", "sync", `${name}.json`);
}

/** Partly done where some of it was, or was there; failed where nothing was. */
async function endOf(plan: Plan, applied: () => Applied | undefined, ended: Promise<ExitName>): Promise<ExitName> {
  const refused = plan.notes.filter(({ level }) => level === "refused").length;
  let exit: ExitName = "done";
  let failure: unknown;
  try {
    exit = await ended;
  } catch (error) {
    if (!isRegistryError(error, "PARTIAL")) throw error;
    failure = error;
  }
  if (refused === 0 && failure === undefined) return exit;
  const endings = [...(applied()?.endings.values() ?? [])];
  const some =
    plan.kept.length > 0 ||
    (applied() ? endings.some(({ outcome }) => outcome === "done" || outcome === "already") : plan.steps.length > 0);
  const bad = endings.filter(({ outcome }) => outcome !== "done" && outcome !== "already").length + refused;
  const all = plan.steps.length + plan.kept.length + refused;
  throw new RegistryError(
    some ? "PARTIAL" : "UNKNOWN",
    `of ${count(all, "thing")}, ${bad} could not be brought in sync`,
    {
      ...(failure !== undefined && { cause: (failure as RegistryError).cause }),
      hint: "what is wrong with each stands above; run it again: what has arrived is not sent again",
    },
  );
}
