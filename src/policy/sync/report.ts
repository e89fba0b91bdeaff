import type { Ending } from "../../plan/act.ts";
import type { Applied } from "../../plan/apply.ts";
import type { Plan } from "../../plan/plan.ts";

export const reportFormats = ["json", "md", "xml"] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** What became of one image, tag or repository. */
interface Line {
  readonly rule: string;
  readonly at: string;
  readonly what: string;
  /** `planned` where nothing was applied; `kept` for what stays as it is; `refused` for what could not be looked at, or may not be. */
  readonly outcome: Ending["outcome"] | "planned" | "kept" | "refused";
  readonly why: string;
  readonly digest?: string;
  readonly bytes?: number;
}

/** Writes what a sync did, or would do: as JSON, as Markdown, or for CI as JUnit's XML. */
export function formatReport(format: ReportFormat, plan: Plan, applied?: Applied): string {
  const lines = linesOf(plan, applied);
  if (format === "json") return `${JSON.stringify(asJson(plan, lines), undefined, 2)}\n`;
  return format === "md" ? asMarkdown(plan, lines) : asJunit(plan, lines);
}

function linesOf({ steps, kept, notes }: Plan, applied: Applied | undefined): readonly Line[] {
  const done = steps.map((step): Line => {
    const ending = applied?.endings.get(step.id);
    const { why = step.why, bytes } = ending ?? {};
    const outcome: Line["outcome"] = ending?.outcome ?? "planned";
    const digest = "digest" in step ? { digest: step.digest } : {};
    const line = { rule: step.rule ?? "", at: step.at, what: step.do, outcome, why, ...digest };
    return bytes === undefined ? line : { ...line, bytes };
  });
  const stayed = kept.map(({ at, why, rule = "", digest }): Line => ({
    rule,
    at,
    what: "keep",
    outcome: "kept",
    why,
    ...(digest && { digest }),
  }));
  const refused = notes
    .filter(({ level }) => level === "refused")
    .map(({ at = "", rule = "", message }): Line => {
      const why = message.startsWith(`${rule}: `) ? message.slice(rule.length + 2) : message;
      return { rule, at, what: "look", outcome: "refused", why };
    });
  return [...done, ...refused, ...stayed];
}

function countsOf(lines: readonly Line[]): Readonly<Record<string, number>> {
  const counts = Map.groupBy(lines, ({ outcome }) => outcome);
  return Object.fromEntries([...counts].map(([outcome, of]) => [outcome, of.length]));
}

const isBad = ({ outcome }: Line): boolean => ["failed", "stale", "skipped", "refused"].includes(outcome);
const bytesOf = (lines: readonly Line[]): number => lines.reduce((sum, { bytes = 0 }) => sum + bytes, 0);

function asJson({ made, from }: Plan, lines: readonly Line[]): unknown {
  return {
    version: 1,
    made,
    ...(from !== undefined && { from }),
    complete: !lines.some(isBad),
    counts: countsOf(lines),
    bytes: bytesOf(lines),
    images: lines,
  };
}

function asMarkdown({ made, from }: Plan, lines: readonly Line[]): string {
  const counts = Object.entries(countsOf(lines)).map(([outcome, n]) => `${n} ${outcome}`);
  const shown = lines.filter(({ outcome }) => outcome !== "kept");
  const rows = shown.map(
    ({ outcome, what, at, why }) => `| ${[outcome, what, `\`${at}\``, why].map(cell).join(" | ")} |`,
  );
  const table = rows.length === 0 ? [] : ["", "| | what | where | why |", "|---|---|---|---|", ...rows];
  const title = from === undefined ? "Sync" : `Sync of ${cell(from)}`;
  return [`# ${title}`, "", `${made}: ${counts.join(", ") || "nothing to look at"}.`, ...table, ""].join("\n");
}

function asJunit({ made }: Plan, lines: readonly Line[]): string {
  const suites = [...Map.groupBy(lines, ({ rule }) => rule)].map(([rule, of]) => {
    const cases = of.map((line) => {
      const open = `    <testcase classname=${quoted(rule || "sync")} name=${quoted(`${line.what} ${line.at}`)}`;
      if (!isBad(line)) return `${open}/>`;
      const tag = line.outcome === "skipped" ? "skipped" : "failure";
      return `${open}>\n      <${tag} message=${quoted(`${line.outcome}: ${line.why}`)}/>\n    </testcase>`;
    });
    return [
      `  <testsuite name=${quoted(rule || "sync")} ${tally(of)} timestamp=${quoted(made)}>`,
      ...cases,
      "  </testsuite>",
    ];
  });
  const head = `<testsuites name="gantry sync" ${tally(lines)}>`;
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...suites.flat(), "</testsuites>", ""].join("\n");
}

function tally(lines: readonly Line[]): string {
  const skipped = lines.filter(({ outcome }) => outcome === "skipped").length;
  return `tests="${lines.length}" failures="${lines.filter(isBad).length - skipped}" skipped="${skipped}"`;
}

/** Text for one cell of a table: what a registry said must not end it. */
const cell = (text: string): string => bare(text).replaceAll("|", "\\|").replaceAll("<", "&lt;");

const quoted = (text: string): string =>
  `"${bare(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")}"`;

/** Without control characters and halves of characters, which neither may have. */
const bare = (text: string): string => text.toWellFormed().replaceAll(/[\p{Cc}\uFFFE\uFFFF]+/gu, " ");
