import { median } from "./rounds.ts";

/** A table of results. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Something that a scenario is to reach. */
export interface Goal {
  readonly what: string;
  readonly value: number;
  /** The least or the most that the value may be. */
  readonly least?: number;
  readonly most?: number;
  /** Behind the number: `x`, ` MB`. */
  readonly unit: string;
}

export interface Report {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
}

/** Whether a goal is reached; figures that come out the same when written count as the same. */
export function isReached({ value, least = -Infinity, most = Infinity }: Goal): boolean {
  const rounded = Number(digits(value));
  return rounded >= least && rounded <= most;
}

/** Tables and goals in Markdown. */
export function markdown({ tables, goals }: Report): string {
  const aims: Table = {
    title: "Goals",
    head: ["goal", "wanted", "measured", "reached"],
    rows: goals.map((goal) => [
      goal.what,
      wanted(goal),
      `${digits(goal.value)}${goal.unit}`,
      isReached(goal) ? "yes" : "**no**",
    ]),
  };
  return [...tables, ...(goals.length > 0 ? [aims] : [])].map(tableText).join("\n\n");
}

function tableText({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [`**${title}**`, "", line(head), line(rule), ...rows.map(line)].join("\n");
}

function wanted({ least, most, unit }: Goal): string {
  return least === undefined ? `at most ${most}${unit}` : `at least ${least}${unit}`;
}

/** A number as people like it: three digits, no more than two behind the point. */
export function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** The median, and behind it the least and the most. */
export function spread(values: readonly number[]): string {
  return `${digits(median(values))} (${digits(Math.min(...values))}-${digits(Math.max(...values))})`;
}
