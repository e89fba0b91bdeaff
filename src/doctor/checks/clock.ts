import { fault, fine, skipped, warning, type Diagnosis } from "../diagnosis.ts";
import type { Place } from "../place.ts";
import type { Answer } from "../ask.ts";

const notable = 30_000;
const harmful = 300_000;

/** How far this machine's clock is ahead of the registry's, by the Date of its answer. */
export function checkClock({ host }: Place, answer: Answer): Diagnosis {
  const ahead = clockAhead(answer);
  if (ahead === undefined) return skipped("clock", "the registry does not say what time it is", { host });
  const off = Math.abs(ahead);
  // The header counts in seconds.
  if (off < 2000) return fine("clock", "the same as the registry's", { host });
  const message = `${formatOff(off)} ${ahead > 0 ? "ahead of" : "behind"} the registry's`;
  if (off < notable) return fine("clock", message, { host });
  const more = {
    host,
    cause: "this machine's clock is wrong, or the registry's: tokens and certificates look expired, or not valid yet",
    command: "timedatectl status",
  };
  return off < harmful ? warning("clock", message, more) : fault("clock", message, { code: "UNKNOWN", ...more });
}

/** The milliseconds that this machine's clock is ahead; undefined where the answer has no Date, or comes out of a cache. */
export function clockAhead({ headers, at }: Answer): number | undefined {
  const theirs = Date.parse(headers["date"] ?? "");
  return Number.isNaN(theirs) || headers["age"] !== undefined ? undefined : at - (theirs + 500);
}

function formatOff(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
