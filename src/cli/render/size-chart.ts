import type { SizeAt } from "../../policy/index.ts";
import { formatSize, paint, type Look } from "./text.ts";

const height = 10;
const eighths = ["", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** Sizes over time as a drawing of characters, as wide as the terminal: full for what a policy leaves, light for what it frees. */
export function sizeChart(sizes: readonly SizeAt[], look: Look): string {
  const last = sizes.at(-1);
  if (!last) return "it is not known when anything was pushed: there is nothing to draw\n";
  const most = Math.max(1, ...sizes.map((one) => one.without));
  const labels = [most, most / 2, 0].map(formatSize);
  const margin = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(10, (look.width ?? 80) - margin - 2);
  const points = Array.from(
    { length: columns },
    (_, i) => sizes[Math.round((i * (sizes.length - 1)) / (columns - 1))]!,
  );
  const rows = Array.from({ length: height }, (_, i) => {
    const row = height - 1 - i;
    const label = row === height - 1 ? labels[0]! : row === height / 2 ? labels[1]! : row === 0 ? labels[2]! : "";
    const cells = points.map((one) => cell(one.with / most, one.without / most, row)).join("");
    return `${paint(look, "dim", label.padStart(margin))} ${coloured(cells.trimEnd(), look)}\n`;
  });
  const [from, to] = [sizes[0]!, last].map(({ at }) => at.toISOString().slice(0, 10));
  const axis = `${" ".repeat(margin + 1)}${paint(look, "dim", `${from}${to!.padStart(columns - from!.length)}`)}\n`;
  const legend = [
    `${coloured("█", look)} with the policy: ${formatSize(last.with)}`,
    `${coloured("░", look)} without it: ${formatSize(last.without)}`,
  ];
  return `\n${rows.join("")}${axis}${" ".repeat(margin + 1)}${legend.join("   ")}\n`;
}

/** What stands in a row of a column; sizes are parts of the whole height. */
function cell(left: number, all: number, row: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, left * height - row)) * 8);
  if (filled > 0) return eighths[filled]!;
  return all * height - row >= 0.5 ? "░" : " ";
}

const coloured = (cells: string, look: Look): string =>
  cells.replace(/[▁-█]+/g, (part) => paint(look, "cyan", part)).replace(/░+/g, (part) => paint(look, "yellow", part));
