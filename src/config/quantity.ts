const units: Readonly<Record<string, number>> = {
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
  const size = parts ? Math.round(Number(parts[1]) * units[(parts[2] ?? "").toLowerCase()]!) : 0;
  return size > 0 && Number.isSafeInteger(size) ? size : undefined;
}

const spans = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The longest time that timers take. */
const longest = 2 ** 31 - 1;

/** The milliseconds that a text such as `500ms`, `10s` or `2m` stands for; a number alone is seconds. */
export function readDuration(text: string): number | undefined {
  const parts = /^(\d{1,10}(?:\.\d{1,9})?)\s*(ms|s|m|h)?$/.exec(text.trim());
  if (!parts) return undefined;
  const ms = Math.round(Number(parts[1]) * spans[(parts[2] ?? "s") as keyof typeof spans]);
  return ms <= longest ? ms : undefined;
}

/** Milliseconds as `readDuration` takes them, in the largest unit that needs no fraction. */
export function formatDuration(ms: number): string {
  const unit = (["h", "m", "s"] as const).find((one) => ms >= spans[one] && ms % spans[one] === 0) ?? "ms";
  return ms === 0 ? "0s" : `${ms / spans[unit]}${unit}`;
}
