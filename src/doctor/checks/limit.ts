import { plainText } from "../../store/remote/answer.ts";
import type { Answer } from "../ask.ts";
import { fault, fine, warning, type Diagnosis } from "../diagnosis.ts";
import type { Place } from "../place.ts";

/** So small a part of the limit is worth a warning. */
const scarce = 0.1;

/** How much is left of a rate limit, by the headers of an answer (RateLimit-*, X-RateLimit-*). */
export function checkLimit({ host, registry }: Place, { headers }: Answer): Diagnosis {
  const limit = readLimit(headers);
  if (!limit) return fine("limit", "the registry tells of none", { host });
  const { left, of, window } = limit;
  const source = headers["docker-ratelimit-source"];
  const who = source === undefined ? "" : `, counted for ${plainText(source).slice(0, 80)}`;
  const message = `${left}${of === undefined ? "" : ` of ${of}`} requests left${window}${who}`;
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
  return readLimit(headers) !== undefined;
}

function readLimit(
  headers: Answer["headers"],
): { readonly left: number; readonly of?: number; readonly window: string } | undefined {
  const read = (name: string): string | undefined => headers[`ratelimit-${name}`] ?? headers[`x-ratelimit-${name}`];
  const left = /^\d{1,12}/.exec(read("remaining") ?? "")?.[0];
  if (left === undefined) return undefined;
  const of = /^\d{1,12}/.exec(read("limit") ?? "")?.[0];
  const seconds = Number(/;\s*w=(\d{1,9})/.exec(read("remaining") ?? read("limit") ?? "")?.[1] ?? 0);
  const window =
    seconds === 0 ? "" : seconds < 7200 ? ` of ${Math.round(seconds / 60)} min` : ` of ${Math.round(seconds / 3600)} h`;
  return { left: Number(left), ...(of !== undefined && { of: Number(of) }), window };
}
