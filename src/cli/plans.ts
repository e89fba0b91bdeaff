import { writeFile } from "node:fs/promises";
import { RegistryError, type Applied, type Client, type Plan, type Step } from "../index.ts";
import { formatPlan } from "../plan/index.ts";
import type { Cli } from "./cli.ts";
import type { ExitName } from "./exit-codes.ts";
import { limitRate } from "./options.ts";
import { table } from "./render/table.ts";
import { count, plain } from "./render/text.ts";
import * as planOptions from "./table/plan-options.ts";

/**
 * What all commands do with the plan they made: show it, save it where --out says, and with --yes act on it. `client` is the
 * one that read what the plan is about; `onApplied` is told how it went.
 */
export async function offerPlan(
  plan: Plan,
  cli: Cli,
  known?: Client,
  onApplied?: (applied: Applied) => Promise<void>,
): Promise<ExitName> {
  const { get, out, reporter } = cli;
  const file = given(cli, planOptions.out);
  if (file !== undefined) await writeFile(file, formatPlan(plan));
  if (!get(planOptions.act)) {
    await out.print(plan, (_, look) => table(plan.steps, stepColumns, look));
  }
  for (const { level, at, message } of plan.notes)
    reporter.say(plain(`${level}: ${at === undefined ? "" : `${at}: `}${message}`));
  if (!get(planOptions.act)) {
    return plan.steps.length > 0 && given(cli, planOptions.changes) ? "changes" : "done";
  }
  const [most, jobs, rate] = [get(planOptions.maxDelete), get(planOptions.steps), get(limitRate)];
  const client = known ?? (await cli.client({ from: [], to: plan.steps.map(({ at }) => at) }));
  const applied = await client.apply(plan, {
    signal: cli.signal,
    ...(most !== undefined && { maxDelete: most }),
    ...(jobs !== undefined && { jobs }),
    ...(rate !== undefined && { limitRate: rate }),
    onEvent: (event) => event.type !== "step" && reporter.on(event),
  });
  reporter.stop();
  await onApplied?.(applied);
  await out.print(appliedJson(plan, applied), (_, look) => table(plan.steps, endingColumns(applied), look));
  return endOf(applied);
}

/** An option's value; undefined for a command that does not take it. */
function given<T>({ get }: Cli, option: Parameters<typeof get<T>>[0]): T | undefined {
  return get(option);
}

const stepColumns = [
  { title: "DO", value: (step: Step) => step.do },
  { title: "WHAT", value: (step: Step) => step.at },
  { title: "WHY", value: (step: Step) => step.why },
];

const endingColumns = ({ endings }: Applied) => [
  { title: "STEP", value: (step: Step) => endings.get(step.id)?.outcome ?? "" },
  ...stepColumns.slice(0, 2),
  { title: "WHY", value: (step: Step) => endings.get(step.id)?.why ?? step.why },
];

function appliedJson(plan: Plan, { endings, complete }: Applied): unknown {
  const steps = plan.steps.map(({ id, do: what, at }) => {
    const { outcome, why } = endings.get(id)!;
    return { id, do: what, at, outcome, ...(why !== undefined && { why }) };
  });
  return { complete, steps };
}

function endOf({ endings, complete }: Applied): ExitName {
  if (complete) return "done";
  const failed = [...endings.values()].find(({ outcome }) => outcome === "failed");
  throw new RegistryError("PARTIAL", `${count(endings.size, "step")}: not all of them were done`, {
    ...(failed?.error !== undefined && { cause: failed.error }),
  });
}
