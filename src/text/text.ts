/** What the place that text is written to can show. */
export interface Look {
  readonly color: boolean;
  /** Columns of the terminal; undefined elsewhere. */
  readonly width?: number | undefined;
}

const styles = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** Colours a text where colours are shown. */
export function paint(look: Look, style: keyof typeof styles, text: string): string {
  if (!look.color || text === "") return text;
  const [on, off] = styles[style];
  return `\u001B[${on}m${text}\u001B[${off}m`;
}

/** Control characters and direction marks: what a registry could forge a terminal's screen with. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const unsafe = /[\u0000-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

/** A text from elsewhere, fit for one line on a terminal: control characters show as escapes. */
export function plain(text: string): string {
  return text.replace(unsafe, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A text of several lines, fit for a terminal. */
export function screenText(text: string): string {
  return text.trimEnd().split("\n").map(plain).join("\n");
}

/** JSON whose strings do nothing to a terminal either; it parses to the same. */
export function safeJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent) ?? "null";
  // oxlint-disable-next-line no-control-regex -- JSON leaves these as they are
  return text.replace(
    /[\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const sizeUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A number of bytes in three figures: `9 B`, `1.2 kB`, `34.5 MB`. */
export function formatSize(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  while (amount >= 999.5 && unit < sizeUnits.length - 1) [amount, unit] = [amount / 1000, unit + 1];
  return `${unit === 0 || amount >= 99.95 ? Math.round(amount) : amount.toFixed(1)} ${sizeUnits[unit]}`;
}

/** A span of time: `85 ms`, `3.2 s`, `4m 05s`, `2h 10m`. */
export function formatSpan(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
}

/** A moment, to the minute: `2026-11-20 14:05`; what is no moment stays as it is. */
export function formatMoment(iso: string | undefined): string {
  if (iso === undefined) return "";
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : time.toISOString().slice(0, 16).replace("T", " ");
}

/** A digest that still tells people apart: the algorithm and 12 characters. */
export function shortDigest(digest: string): string {
  return /^sha\d+:[0-9a-f]{13,}$/.test(digest) ? digest.slice(0, digest.indexOf(":") + 13) : digest;
}

/** `1 layer`, `3 layers`; other plurals are given. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
