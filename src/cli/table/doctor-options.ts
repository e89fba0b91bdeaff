import { RegistryError } from "../../index.ts";
import { flag, value, type Option } from "../option.ts";

/** What the doctor takes beside what every command takes that speaks to a registry. */
export const checkTimeout: Option<number | undefined> = value(
  "--timeout <time>",
  "how long each check may take, such as 5s (default: 10s)",
  parseTime,
);
export const writeCheck: Option<boolean> = flag(
  "--write-check",
  "open an upload in the repository and cancel it, to see what may be written",
);

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** Reads a span of time, `500ms`, `10s` or `2m`, a bare number being seconds; in milliseconds. */
function parseTime(text: string): number {
  const [, amount, unit = "s"] = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(text.trim()) ?? [];
  const ms = Math.round(Number(amount) * units[unit]!);
  // More is not what a timer takes.
  if (ms > 0 && ms < 2 ** 31) return ms;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not a span of time`, {
    hint: "write 500ms, 10s or 2m",
  });
}
