import type { Method } from "../transport.ts";
import { chunkedFraming, closeFraming, lengthFraming, type Framing } from "./framing.ts";

/** A response's head (RFC 9112, 2). */
export interface Head {
  readonly status: number;
  /** By name in lower case, repeated ones joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** How many bytes it took. */
  readonly length: number;
  /** Whether the connection may serve again. */
  readonly keepsAlive: boolean;
}

const statusForm = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r\n\0]*)?$/;
const fieldForm = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/;
/** Headers of which only the first counts, as a list of them makes no sense. */
const single: readonly string[] = [
  "content-range",
  "content-type",
  "date",
  "docker-content-digest",
  "etag",
  "location",
  "retry-after",
];

/** Reads the head at the front of the bytes; nothing where it is not all there yet. Throws where it breaks the format. */
export function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) {
    if (bytes.length > 0 && !"HTTP/1.".startsWith(bytes.toString("latin1", 0, 7))) throw new Error("it is not HTTP");
    return undefined;
  }
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = statusForm.exec(first);
  if (!status) throw new Error("its status line is not HTTP/1.1's");
  const headers = parseFields(lines);
  const keepsAlive = status[1] === "1" && !/(?:^|,)\s*close\s*(?:,|$)/.test(headers["connection"]?.toLowerCase() ?? "");
  return { status: Number(status[2]), headers, length: end + 4, keepsAlive };
}

function parseFields(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const field = fieldForm.exec(line);
    if (!field) throw new Error("a header is malformed");
    const name = field[1]!.toLowerCase();
    const value = field[2]!;
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (before === undefined) headers[name] = value;
    else if (name === "content-length") throw new Error("it has two Content-Length headers");
    else if (!single.includes(name)) headers[name] = `${before}, ${value}`;
  }
  return headers;
}

/** How a response's body ends; nothing where there is none. Throws where its headers do not go together. */
export function framingOf(method: Method, { status, headers }: Head): Framing | undefined {
  const encoding = headers["transfer-encoding"];
  const length = headers["content-length"];
  if (method === "HEAD" || status === 204 || status === 304) return undefined;
  if (encoding !== undefined) {
    if (length !== undefined) throw new Error("it has both a Content-Length and a Transfer-Encoding");
    if (encoding.toLowerCase() !== "chunked") throw new Error("it has an unknown Transfer-Encoding");
    return chunkedFraming();
  }
  if (length === undefined) return closeFraming();
  if (!/^\d{1,15}$/.test(length)) throw new Error("its Content-Length is not a number");
  return length === "0" ? undefined : lengthFraming(Number(length));
}
