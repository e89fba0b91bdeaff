import { folded, table, wrapped, type Column } from "../../text/table.ts";
import { formatSize, paint, plain, shortDigest, type Look } from "../../text/text.ts";
import type { Ending } from "../act.ts";
import type { Applied } from "../apply.ts";
import type { Plan, Step } from "../plan.ts";
import { isDone } from "../schedule.ts";
import { byPlace, keptByReason, nameIn, stepsText, summary } from "./summary.ts";

export interface TableOptions {
  /** Names all that stays; else how many for which reason. */
  readonly kept?: boolean;
}

/** From so many steps on, those of one repository that have one reason share a line. */
const long = 1000;

/** With less room for the reasons, they stand below. */
const narrow = 40;

/** One line of the table: a step, or several that are alike. */
interface Row {
  readonly steps: readonly Step[];
  readonly ending?: Ending | undefined;
}

/** A plan for people: its steps by repository, with the bytes and the reason of each, and what stays. */
export function planTable(plan: Plan, look: Look, { kept = false }: TableOptions = {}): string {
  const alike = plan.steps.length > long;
  const groups = byPlace(plan.steps).map(({ place, steps }) => ({
    place,
    rows: alike ? together(steps) : steps.map((step) => ({ steps: [step] })),
    steps,
  }));
  const stays = kept ? plan.kept.map(({ at, why }) => ({ at, why })) : [];
  const reasons = kept ? [] : keptByReason(plan.kept);
  return [
    rowsText(groups, columns, look),
    stays.length === 0 ? "" : `\n${table(stays, [...keptColumns], look)}`,
    reasons.length === 0 ? "" : `\n${paint(look, "bold", "kept")}\n${reasonLines(reasons, look)}`,
    `${plan.steps.length + plan.kept.length > 0 ? "\n" : ""}${folded(plain(summary(plan)), look)}\n`,
  ].join("");
}

/** What became of a plan: each step, or of very many those that were not done; and how many ended how. */
export function appliedTable({ steps }: Plan, { endings }: Applied, look: Look): string {
  const ending = ({ id }: Step): Ending | undefined => endings.get(id);
  const shown = steps.length > long ? steps.filter((step) => !isDone(ending(step))) : steps;
  const groups = byPlace(shown).map(({ place, steps: its }) => ({
    place,
    steps: its,
    rows: its.map((step) => ({ steps: [step], ending: ending(step) })),
  }));
  const outcomes = Map.groupBy(endings.values(), ({ outcome }) => outcome);
  const told = (["done", "already", "stale", "failed", "skipped"] as const).flatMap((outcome) => {
    const its = outcomes.get(outcome);
    return its ? [`${its.length} ${outcome === "already" ? "done already" : outcome}`] : [];
  });
  return `${rowsText(groups, endingColumns, look)}${shown.length > 0 ? "\n" : ""}${told.join(", ") || "nothing to do"}\n`;
}

const what = ({ steps: [step, ...more] }: Row): string => {
  if (!step) return "";
  if (more.length > 0) return `${more.length + 1} of them`;
  const name = nameIn(step.at).replace(/^@(.*)$/, (_, digest: string) => `@${shortDigest(digest)}`);
  return step.do === "tag" ? `${name} = ${shortDigest(step.digest)}` : name;
};

const why = ({ steps: [step, ...more] }: Row): string => {
  if (!step) return "";
  const from = step.do === "copy" && more.length === 0 ? `, from ${step.from}` : "";
  const tags = step.do === "delete manifest" && more.length === 0 && step.tags.length > 0;
  const reason = more.length > 0 && step.rule !== undefined ? `${step.rule}: such as ${step.why}` : step.why;
  return `${reason}${from}${tags ? `; with ${step.tags.join(", ")}` : ""}`;
};

const bytes = ({ steps }: Row): string => {
  const known = steps.flatMap((step) => step.bytes ?? []);
  return known.length === 0 ? "" : formatSize(known.reduce((sum, n) => sum + n, 0));
};

const doing: Column<Row> = { title: "  DO", value: ({ steps: [step] }) => `  ${step?.do ?? ""}` };
const columns: readonly Column<Row>[] = [
  doing,
  { title: "WHAT", value: what },
  { title: "BYTES", value: bytes, right: true, ifTold: true },
  { title: "WHY", value: why },
];
const endingColumns: readonly Column<Row>[] = [
  { title: "  STEP", value: ({ ending }) => `  ${ending?.outcome ?? ""}` },
  { title: "DO", value: ({ steps: [step] }) => step?.do ?? "" },
  { title: "WHAT", value: what },
  { title: "WHY", value: (row) => row.ending?.why ?? why(row) },
];
const keptColumns = [
  { title: "KEPT", value: ({ at }: { at: string }) => at },
  { title: "WHY", value: ({ why: reason }: { why: string }) => reason },
] as const;

/** Steps that do the same for the same reason, as one. */
function together(steps: readonly Step[]): readonly Row[] {
  return [...Map.groupBy(steps, (step) => `${step.do} ${step.rule ?? step.why}`).values()].map((its) => ({
    steps: its,
  }));
}

type Group = { readonly place: string; readonly steps: readonly Step[]; readonly rows: readonly Row[] };

/** One table, with a heading over the rows of each place. On a terminal the last column goes on in the next line, or stands there. */
function rowsText(groups: readonly Group[], all: readonly Column<Row>[], look: Look): string {
  const rows = groups.flatMap((group) => group.rows);
  if (rows.length === 0) return "";
  const last = all.at(-1)!;
  const [titles = "", ...lines] = table(rows, all.slice(0, -1), { color: false }).split("\n");
  const wide = lines.reduce((most, { length }) => Math.max(most, length), titles.length);
  const isNarrow = look.width !== undefined && look.width - wide < narrow;
  const indent = " ".repeat(isNarrow ? 6 : wide + 2);
  const beside = (cells: string): string => (isNarrow ? loose(cells, look) : cells.padEnd(wide));
  const line = (row: Row, i: number): string => {
    const text = plain(last.value(row));
    if (look.width === undefined) return `${lines[i]!.padEnd(wide)}  ${text}`.trimEnd();
    const parts = wrapped(withShortDigests(text), look.width - indent.length);
    const [first = "", ...rest] = isNarrow ? ["", ...parts] : parts;
    return [`${beside(lines[i]!)}  ${first}`.trimEnd(), ...rest.map((more) => `${indent}${more}`)].join("\n");
  };
  let at = 0;
  const parts = groups.map((group) => [placeLine(group, look), ...group.rows.map((row) => line(row, at++))]);
  const heading = paint(look, "bold", isNarrow ? beside(titles) : `${titles.padEnd(wide)}  ${last.title}`);
  return [heading, ...parts.flat()].map((text) => `${text}\n`).join("");
}

/** A line as it is or, where the terminal is narrower, its cells one after the other. */
function loose(line: string, look: Look): string {
  const isLong = look.width !== undefined && line.length > look.width;
  return isLong ? `  ${folded(line.trim().replace(/ {2,}/g, " "), look, "    ")}` : line;
}

function placeLine({ place, steps, rows }: Group, look: Look): string {
  const [name, total] = [plain(place), rows.length > 1 ? stepsText(steps) : ""];
  const isLong = name.length + 2 + total.length > (look.width ?? Number.POSITIVE_INFINITY);
  const [between, told] = isLong && total !== "" ? ["\n  ", folded(total, look, "  ")] : ["  ", total];
  return `${paint(look, "cyan", name)}${total === "" ? "" : `${between}${paint(look, "dim", told)}`}`;
}

const withShortDigests = (text: string): string =>
  text.replace(/sha\d+:[0-9a-f]{64,}/g, (digest) => shortDigest(digest));

function reasonLines(reasons: ReturnType<typeof keptByReason>, look: Look): string {
  const wide = Math.max(...reasons.map(({ kept }) => String(kept.length).length));
  const indent = " ".repeat(wide + 4);
  return reasons
    .map(({ why: reason, kept }) => `  ${String(kept.length).padStart(wide)}  ${folded(plain(reason), look, indent)}\n`)
    .join("");
}

/** `warning: registry.example/app: ...`: what there is to know beside the steps, a line each. */
export function noteLines({ notes }: Plan): readonly string[] {
  return notes.map(({ level, at, message }) => plain(`${level}: ${at === undefined ? "" : `${at}: `}${message}`));
}
