import { paint, plain, shortDigest, type Look } from "./text.ts";

export interface Column<T> {
  readonly title: string;
  readonly value: (item: T) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Left out where no item has a value for it; who has none, the empty text, is given a dash. */
  readonly ifTold?: boolean;
}

const gap = "  ";

/** Ways to shorten cells for a terminal that is too narrow: twelve digits of a digest, then those alone. */
const shorter: readonly ((cell: string) => string)[] = [
  (cell) => shortDigest(cell),
  (cell) => cell.replace(/^sha(?:256|512):([0-9a-f]{12})$/, "$1"),
];

/**
 * Lines of columns under a heading. On a terminal that is too narrow, digests shorten first, then the widest columns; where that
 * is not enough, each item stands by itself.
 */
export function table<T>(items: readonly T[], all: readonly Column<T>[], look: Look): string {
  const columns = all.filter(({ ifTold, value }) => !ifTold || items.some((item) => value(item) !== ""));
  const cell = ({ ifTold, value }: Column<T>, item: T): string => plain(value(item)) || (ifTold ? "-" : "");
  const full = items.map((item) => columns.map((column) => cell(column, item)));
  let rows = full;
  const titles = columns.map((column) => column.title);
  for (const shorten of shorter) {
    if (look.width === undefined || total(widths(titles, rows)) <= look.width) break;
    rows = rows.map((row) => row.map((cell) => shorten(cell)));
  }
  const wide = fit(widths(titles, rows), look.width);
  const isNarrow = look.width !== undefined && total(wide) > look.width;
  if (isNarrow && rows.length > 0) return stacked(titles, full, look);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        columns[i]!.right ? clip(cell, wide[i]!).padStart(wide[i]!) : clip(cell, wide[i]!).padEnd(wide[i]!),
      )
      .join(gap)
      .trimEnd();
  return [paint(look, "bold", line(titles)), ...rows.map(line)].map((text) => `${text}\n`).join("");
}

/** Each item by itself: its first cell, and below it the others by their titles. */
function stacked(titles: readonly string[], rows: readonly (readonly string[])[], look: Look): string {
  return rows
    .map((row) => {
      const [first = "", ...others] = row.map((cell) => shortDigest(cell));
      const named = others.map((cell, i) => [titles[i + 1]!, cell] as const);
      return `${folded(first, look)}\n${foldedFields(named, look, "  ")}`;
    })
    .join("");
}

/** A text in lines of at most `width` characters, broken at spaces; a word that is longer stays whole. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A text that goes on in the next line where the terminal ends, with an indent that the first has already. */
export function folded(text: string, { width }: Look, indent = ""): string {
  return width === undefined ? text : wrapped(text, width - indent.length).join(`\n${indent}`);
}

type Pairs = readonly (readonly [name: string, value: string | undefined])[];

/** Names and values, the values in one column; empty values are left out. */
export function fields(pairs: Pairs, { color }: Look, indent = ""): string {
  return foldedFields(pairs, { color }, indent);
}

/** Fields whose values go on in the next line where the terminal ends; a word that has no room beside its name stands below. */
export function foldedFields(pairs: Pairs, look: Look, indent = ""): string {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined && pair[1] !== "");
  const wide = Math.max(0, ...shown.map(([name]) => name.length));
  const beside = indent.length + wide + gap.length;
  return shown
    .map(([name, value]) => {
      const text = plain(value);
      const longest = Math.max(...text.split(" ").map((word) => word.length));
      const isBelow = look.width !== undefined && beside + longest > look.width;
      const inset = " ".repeat(isBelow ? indent.length + gap.length : beside);
      const title = paint(look, "bold", isBelow ? plain(name) : plain(name).padEnd(wide));
      return `${indent}${title}${isBelow ? `\n${inset}` : gap}${folded(text, look, inset)}\n`;
    })
    .join("");
}

function widths(titles: readonly string[], rows: readonly (readonly string[])[]): number[] {
  return titles.map((title, i) => rows.reduce((most, row) => Math.max(most, row[i]!.length), title.length));
}

function total(wide: readonly number[]): number {
  return wide.reduce((sum, n) => sum + n, gap.length * (wide.length - 1));
}

/** Takes columns from the widest one until the line fits; none gets narrower than 10. */
function fit(wide: readonly number[], limit = Number.POSITIVE_INFINITY): readonly number[] {
  const fitted = [...wide];
  for (let over = total(fitted) - limit; over > 0; over--) {
    const widest = fitted.indexOf(Math.max(...fitted));
    if (fitted[widest]! <= 10) break;
    fitted[widest]! -= 1;
  }
  return fitted;
}

/** Of names and places the end tells more than the middle: there are tag and platform. */
function clip(cell: string, width: number): string {
  if (cell.length <= width) return cell;
  const end = /[/:]/.test(cell) && !cell.includes(" ") ? Math.floor(width / 2) : 0;
  return `${cell.slice(0, width - 1 - end)}…${end === 0 ? "" : cell.slice(-end)}`;
}
