import { RegistryError } from "../oci/error.ts";
import type { Page } from "./storage/storage.ts";

/** The most entries that one answer lists. */
export const pageLimit = 10_000;

/** Reads `n` and `last` (distribution-spec, "Listing Tags"); throws where `n` is no number of entries. */
export function parsePage(query: URLSearchParams): Page {
  const n = query.get("n");
  const after = query.get("last");
  return { limit: n === null ? pageLimit : parseCount(n), ...(after !== null && { after }) };
}

/** The Link header to what follows `last`, where there is more; the query's other parameters stay. */
export function linkAfter(
  path: string,
  query: URLSearchParams,
  last: string | undefined,
  more: boolean,
): Record<string, string> {
  if (!more || last === undefined) return {};
  const next = new URLSearchParams(query);
  next.set("last", last);
  return { link: `<${path}?${next.toString()}>; rel="next"` };
}

function parseCount(text: string): number {
  if (/^\d{1,30}$/.test(text)) return Math.min(Number(text), pageLimit);
  throw new RegistryError("INVALID", `n=${text.slice(0, 40)} is no number of entries`, { status: 400 });
}
