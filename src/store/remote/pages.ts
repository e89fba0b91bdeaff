import { isObject } from "../../oci/descriptor.ts";
import type { Res } from "../../transport/transport.ts";
import type { Call } from "../store.ts";
import { nonsense, refusePage, type Attempt } from "./answer.ts";
import { locate } from "./location.ts";
import { getWhole, type Remote } from "./remote.ts";

const pageBytes = 32 * 1024 * 1024;

/** The page size asked for: the most that the strictest registries allow. */
export const pageSize = 1000;

export interface PageRequest extends Call {
  readonly url: URL;
  readonly attempt: Attempt;
  readonly accept?: string;
}

export interface Page {
  /** Its body is still to be read where the status is not 200. */
  readonly response: Res;
  /** Empty unless the status is 200. */
  readonly bytes: Uint8Array;
  /** The JSON object that came; absent where something else did. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Where the Link header (RFC 8288, rel="next") leads, which is the same origin; absent on the last page. */
  readonly next?: URL;
}

/** Fetches one page of a list. */
export async function getPage(
  at: Remote,
  { url, attempt, accept = "application/json", signal }: PageRequest,
): Promise<Page> {
  const { response, bytes } = await getWhole(at, { url, headers: { accept }, signal }, pageBytes, attempt);
  if (response.status !== 200) return { response, bytes };
  const body = parseObject(bytes);
  const link = nextLink(response.headers["link"]);
  if (link === undefined) return { response, bytes, body };
  const { url: next, anonymous } = locate(at, url, link);
  if (anonymous) throw nonsense(attempt, `says that the next page is at ${next.host}, another host`);
  return { response, bytes, body, next };
}

/**
 * All names of a list that comes in pages, each once. Follows Link; without one, goes on after the last name of a full
 * page. Ends where a page was had before or brings nothing new, whatever its Link says.
 */
export async function* listNames(
  at: Remote,
  {
    field,
    refused,
    ...request
  }: PageRequest & { readonly field: string; readonly refused: (response: Res) => Promise<Error> },
): AsyncGenerator<string, void> {
  const seen = new Set<string>();
  const visited = new Set<string>();
  let url: URL | undefined = request.url;
  while (url && !visited.has(url.href)) {
    visited.add(url.href);
    const { response, bytes, body, next }: Page = await getPage(at, { ...request, url });
    if (response.status !== 200) throw await refused(response);
    if (!body) refusePage(response, bytes, request.attempt);
    if (!body) throw nonsense(request.attempt, "answered with something other than a JSON object");
    const names = namesIn(body[field]);
    const fresh = names.filter((name) => !seen.has(name) && seen.add(name));
    yield* fresh;
    if (fresh.length === 0) return;
    url = next ?? (names.length >= pageSize ? after(request.url, names.at(-1)!) : undefined);
  }
}

/** Some registries write null for an empty list. */
function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

function after(url: URL, last: string): URL {
  const next = new URL(url.href);
  next.searchParams.set("last", last);
  return next;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The target of the first `rel="next"` in a Link header. */
export function nextLink(header: string | undefined): string | undefined {
  for (const [, target, parameters] of (header ?? "").matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?=\s*(?:[;,]|$)))/i.test(parameters!)) return target;
  }
  return undefined;
}
