import { count, formatSize, plain } from "../../text/text.ts";
import type { Kept, Plan, Step } from "../plan.ts";
import { byPlace, keptByReason, nameIn, stepsText, summary } from "./summary.ts";

export interface MarkdownOptions {
  /** The most characters: longer lists are cut, and say so. 60,000, which fits into a comment on a pull request. */
  readonly limit?: number;
}

/** A plan as Markdown for a pull request: what it does in one sentence, notes, the steps by repository, and what stays. */
export function planMarkdown(plan: Plan, { limit = 60_000 }: MarkdownOptions = {}): string {
  const from = plan.from === undefined ? "" : ` from ${code(plan.from)}`;
  const head = `### Plan: ${plan.kind}\n\n**${escaped(summary(plan))}**\n\nMade ${escaped(plan.made)}${from}.\n`;
  const notes = plan.notes.map(
    ({ level, at, message }) => `- **${level}**: ${at === undefined ? "" : `${code(at)}: `}${escaped(message)}\n`,
  );
  const places = byPlace(plan.steps);
  const kept = keptByReason(plan.kept);
  let left = limit - head.length;
  /** The parts that there is still room for, and how many there is none for. */
  const fitting = (parts: readonly string[], many: string): string => {
    const fits = parts.findIndex((part) => (left -= part.length) < 200);
    if (fits < 0) return parts.join("");
    left = 0;
    return `${parts.slice(0, fits).join("")}\n… and ${count(parts.length - fits, "more", `more ${many}`)}\n`;
  };
  const sections = [
    notes.length > 0 ? `\n${fitting(notes, "notes")}` : "",
    ...places.map(({ place, steps }) => {
      if (left < 500) return "";
      const title = `${code(place)}: ${escaped(stepsText(steps))}`;
      const rows = fitting(steps.map(row), "steps");
      return details(title, `| do | what | bytes | why |\n|---|---|--:|---|\n${rows}`, places.length <= 10);
    }),
    ...kept.map(({ why, kept: its }) => {
      if (left < 500) return "";
      return details(`kept: ${its.length}, ${escaped(why)}`, fitting(its.map(keptLine), "that stay"), false);
    }),
  ];
  const cut =
    left < 500 && sections.some((section) => section === "") ? "\nThe rest is too long to be shown here.\n" : "";
  return `${head}${sections.join("")}${cut}`;
}

function details(title: string, text: string, open: boolean): string {
  // A blank line makes what follows Markdown again.
  return `\n<details${open ? " open" : ""}><summary>${title}</summary>\n\n${text}\n</details>\n`;
}

function row(step: Step): string {
  const cells = [step.do, whatOf(step), step.bytes === undefined ? "" : formatSize(step.bytes), whyOf(step)];
  return `| ${cells.join(" | ")} |\n`;
}

function whatOf(step: Step): string {
  const name = nameIn(step.at);
  const named = name === "" ? "" : code(name.replace(/^:/, ""));
  return step.do === "tag" ? `${named} = ${code(step.digest)}` : named;
}

function whyOf(step: Step): string {
  const rule = step.rule === undefined ? "" : ` (${escaped(step.rule)})`;
  const from = step.do === "copy" ? `, from ${code(step.from)}` : "";
  const tags = step.do === "delete manifest" && step.tags.length > 0 ? `; with ${step.tags.map(code).join(", ")}` : "";
  return `${escaped(step.why)}${rule}${from}${tags}`;
}

const keptLine = ({ at, why }: Kept): string => `- ${code(at)}: ${escaped(why)}\n`;

/** Text from elsewhere: nothing in it is Markdown, HTML, a link, a mention or an end of line. */
function escaped(text: string): string {
  // What GitHub makes of these comes after entities were read: a comment keeps them apart from what follows.
  return entities(text).replace(/[@#](?!\d+;)/g, (sign) => `${sign}<!-- -->`);
}

/** Text from elsewhere, in a fixed width: as HTML, for a backtick or bar in it could end what Markdown has for that. */
function code(text: string): string {
  return `<code>${entities(text)}</code>`;
}

/** As entities, which mean nothing to Markdown, and hold in HTML too. */
function entities(text: string): string {
  return plain(text).replace(/[\\`*_[\]|~$&<>]|:(?=\/\/)|(?<=\bwww)\./g, (sign) => `&#${sign.charCodeAt(0)};`);
}
