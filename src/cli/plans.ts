import { isBundled, parseLocation, RegistryError, type Applied, type Client, type Note, type Plan } from "../index.ts";
import {
  appliedTable,
  checkDeletions,
  formatPlan,
  isDeletion,
  noteLines,
  planMarkdown,
  planTable,
  planTree,
  withJournal,
  digestsInUse,
  rootsInUse,
  type ApplyOptions,
  type Guards,
  type Journal,
} from "../plan/index.ts";
import type { Cli } from "./cli.ts";
import type { ExitName } from "./exit-codes.ts";
import { writeText } from "./files.ts";
import { imagesInUse } from "./in-use.ts";
import { journalPath } from "./journals.ts";
import { limitRate } from "./options.ts";
import type { TextFormat } from "./render/output.ts";
import { count, plain, type Look } from "./render/text.ts";
import * as planOptions from "./table/plan-options.ts";

/** Seconds between two words on how far it is. */
const heartbeat = 10;

/**
 * What all commands do with the plan they made: show it, save it where --out says, and with --yes act on it. Throws REFUSED, with
 * and without it, where more goes than --max-delete lets. `client` is the one that read what the plan is about; `onApplied` is
 * told how it went.
 */
export async function offerPlan(
  plan: Plan,
  cli: Cli,
  known?: Client,
  onApplied?: (applied: Applied) => Promise<void>,
): Promise<ExitName> {
  const { get, out, reporter } = cli;
  const file = given(cli, planOptions.out);
  if (file !== undefined) await writeText(file, formatPlan(plan));
  const isShown = !get(planOptions.act);
  const text = (_: unknown, look: Look, format: TextFormat): string => planText(plan, look, format, cli);
  if (isShown) await out.print(plan, text);
  for (const line of noteLines(plan)) reporter.say(line);
  if (isShown) checkDeletions(plan, given(cli, planOptions.maxDelete));
  if (isShown) return plan.steps.length > 0 && given(cli, planOptions.changes) ? "changes" : "done";
  const applied = await applyOne(plan, cli, known);
  await onApplied?.(applied);
  await out.print(appliedJson(plan, applied), (_, look) => appliedTable(plan, applied, look));
  return endOf(applied);
}

/** How a command ends that does what it may of a plan: where its own rules refused something, that is not all. */
export function leftOut({ steps, notes }: Plan, ending: ExitName): ExitName {
  if (!notes.some(isRefusal)) return ending;
  return steps.length === 0 ? "refused" : "partly";
}

const isRefusal = ({ level }: Note): boolean => level === "refused";

/** An option's value; undefined for a command that does not take it. */
function given<T>({ get }: Cli, option: Parameters<typeof get<T>>[0]): T | undefined {
  return get(option);
}

function planText(plan: Plan, look: Look, format: TextFormat, { get }: Cli): string {
  if (format === "markdown") return planMarkdown(plan);
  return format === "tree" ? planTree(plan, look) : planTable(plan, look, { kept: get(planOptions.kept) });
}

async function applyOne(plan: Plan, cli: Cli, known?: Client): Promise<Applied> {
  const { reporter, signal } = cli;
  const client = known ?? (await cli.client(placesOf(plan)));
  const settings = await applySettings(plan, cli);
  const told = counter(plan.steps.length, (line) => reporter.say(line));
  const onEvent: ApplyOptions["onEvent"] = (event) => {
    if (event.type === "step") told();
    else reporter.on(event);
  };
  return journaled(plan, cli, (journaling) => client.apply(plan, { ...settings, ...journaling, signal, onEvent }));
}

/** Applies a plan with a journal, where it has steps, and says at the end, however it comes, how to take it back. */
export async function journaled(
  plan: Plan,
  cli: Cli,
  apply: (journaling: { readonly journal?: Journal }) => Promise<Applied>,
): Promise<Applied> {
  if (plan.steps.length === 0) return apply({});
  const { get, reporter, signal } = cli;
  const path = get(planOptions.journal) ?? journalPath(plan, cli);
  return withJournal(
    path,
    plan,
    async (journal) => {
      try {
        return await apply({ journal });
      } finally {
        reporter.stop();
        if (journal.isBegun) reporter.say(plain(`to take it back: gantry undo ${path}`));
      }
    },
    { signal, onWait: (message) => reporter.say(plain(message)) },
  );
}

/** What the options say of how a plan is applied. */
export async function applySettings(plan: Plan, cli: Cli): Promise<ApplyOptions> {
  const { get } = cli;
  const [most, jobs, rate] = [get(planOptions.maxDelete), get(planOptions.steps), get(limitRate)];
  return {
    ...(most !== undefined && { maxDelete: most }),
    ...(jobs !== undefined && { jobs }),
    ...(rate !== undefined && { limitRate: rate }),
    ...(plan.steps.some(isDeletion) && (await readGuards(cli))),
  };
}

/** What the options say must not be deleted; what is in use is read now. */
export async function readGuards(cli: Cli): Promise<Guards> {
  const patterns = cli.get(planOptions.protect);
  const { protection } = patterns.length > 0 ? await import("../policy/index.ts") : {};
  const guarded = protection?.(patterns);
  const used = await imagesInUse(cli);
  return {
    also: (repository) => digestsInUse(repository, used),
    protect: (inventory) => [...(guarded?.(inventory) ?? []), ...rootsInUse(inventory, used)],
  };
}

/** Says how far it is, from time to time. */
function counter(total: number, say: (line: string) => void): () => void {
  let [ended, last] = [0, process.uptime()];
  return () => {
    ended += 1;
    if (process.uptime() - last < heartbeat) return;
    last = process.uptime();
    say(`${ended} of ${count(total, "step")}`);
  };
}

/** The repositories that a plan reads and writes, each once. */
function placesOf({ steps }: Plan): { readonly from: readonly string[]; readonly to: readonly string[] } {
  // What is in a bundle is in no registry.
  const from = steps.flatMap((step) => (step.do === "copy" && !isBundled(step.from) ? [place(step.from)] : []));
  return { from: [...new Set(from)], to: [...new Set(steps.map(({ at }) => place(at)))] };
}

function place(at: string): string {
  const location = parseLocation(at);
  return location.transport === "registry" ? `${location.reference.registry}/${location.reference.repository}` : at;
}

/** The plan again, with what became of its steps. */
function appliedJson(plan: Plan, { endings, complete }: Applied): unknown {
  const steps = plan.steps.map((step) => {
    const { outcome, why } = endings.get(step.id)!;
    return { ...step, outcome, ...(why !== undefined && { problem: why }) };
  });
  return { ...plan, complete: complete && !plan.notes.some(isRefusal), steps };
}

function endOf({ endings, complete }: Applied): ExitName {
  if (complete) return "done";
  const undone = [...endings.values()].filter(({ outcome }) => outcome !== "done" && outcome !== "already");
  const failed = undone.find(({ outcome }) => outcome === "failed");
  throw new RegistryError(
    "PARTIAL",
    `${undone.length} of ${count(endings.size, "step")} ${undone.length === 1 ? "was" : "were"} not done`,
    {
      ...(failed?.error !== undefined && { cause: failed.error }),
      hint: "see above why; run it again to go on, or make a new plan where things have changed",
    },
  );
}
