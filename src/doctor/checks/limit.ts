import { parseQuota } from "../../transport/rate-limit.ts";
import type { Answer } from "../ask.ts";
import { fault, fine, warning, type Diagnosis } from "../diagnosis.ts";
import type { Place } from "../place.ts";

/** So small a part of the limit is worth a warning. */
const scarce = 0.1;

/** How much is left of a rate limit, by the headers of an answer. */
export function checkLimit({ host, registry }: Place, { headers }: Answer, now: number): Diagnosis {
  const quota = parseQuota(headers, now);
  if (!quota) return fine("limit", "the registry tells of none", { host });
  const { remaining: left, limit: of, windowSeconds, source } = quota;
  const who = source === undefined ? "" : `, counted for ${source}`;
  const message = `${left}${of === undefined ? "" : ` of ${of}`} requests left${windowText(windowSeconds)}${who}`;
  const more = {
    host,
    cause: "who is logged in is often allowed more; a mirror or a copy of one's own is not counted",
    command: `gantry login ${registry}`,
  };
  if (left === 0) return fault("limit", message, { code: "TOOMANYREQUESTS", ...more });
  return of !== undefined && left < of * scarce ? warning("limit", message, more) : fine("limit", message, { host });
}

/** Whether a registry counts what is pulled. */
export function isMetered({ headers }: Answer): boolean {
  return parseQuota(headers, 0) !== undefined;
}

function windowText(seconds: number | undefined): string {
  if (seconds === undefined) return "";
  return seconds < 7200 ? ` of ${Math.round(seconds / 60)} min` : ` of ${Math.round(seconds / 3600)} h`;
}
