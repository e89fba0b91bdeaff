const multiples: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

/** The bytes that a text such as `800k`, `20MB` or `1.5GiB` stands for; undefined where it is no size above 0. */
export function readSize(text: string): number | undefined {
  const parts = /^(\d{1,15}(?:\.\d+)?)\s*([kmg]i?)?b?(?:\/s)?$/i.exec(text.trim());
  const size = parts ? Math.round(Number(parts[1]) * multiples[(parts[2] ?? "").toLowerCase()]!) : 0;
  return size > 0 && Number.isSafeInteger(size) ? size : undefined;
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
type Unit = keyof typeof units;

/** How long timers run is written so: `500ms`, `10s`, `1h30m`; a number alone is seconds. */
export const durationForm = /^\s*(?:\d+(?:\.\d+)?\s*|(?:\d+(?:\.\d+)?\s*(?:ms|[smhdw])\s*)+)$/;

/** How old things are is written so: `90m`, `1d12h`, `2w`; not in seconds, for an `s` beside the `d` that was meant deletes. */
export const spanForm = /^\s*(?:\d{1,6}(?:\.\d{1,3})?\s*[mhdw]\s*){1,4}$/;

/** The longest time that timers take. */
const longest = 2 ** 31 - 1;

/** The milliseconds that a text of `durationForm` stands for; undefined where it is none, or longer than timers take. */
export function readDuration(text: string): number | undefined {
  const ms = durationForm.test(text) ? milliseconds(text) : Number.NaN;
  return ms <= longest ? ms : undefined;
}

/** The milliseconds that a text of `spanForm` stands for; undefined for anything else. */
export function readSpan(text: string): number | undefined {
  return spanForm.test(text) ? milliseconds(text) : undefined;
}

function milliseconds(text: string): number {
  const parts = [...text.matchAll(/([\d.]+)\s*(ms|[smhdw])?/g)];
  return Math.round(parts.reduce((sum, [, number, unit = "s"]) => sum + Number(number) * units[unit as Unit], 0));
}

/** Milliseconds as they are read, in the largest unit that needs no fraction, or the least that there is. */
export function formatDuration(ms: number, least: "ms" | "m" = "ms"): string {
  const larger = (["w", "d", "h", "m", "s"] as const).filter((one) => units[one] > units[least]);
  const unit = larger.find((one) => ms >= units[one] && ms % units[one] === 0) ?? least;
  return `${ms / units[unit]}${unit}`;
}
