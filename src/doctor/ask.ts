import { isRegistryError } from "../oci/error.ts";
import { collect } from "../oci/stream.ts";
import type { Req, Transport } from "../transport/transport.ts";
import type { Bench } from "./context.ts";

/** A whole answer, and the middle of the time it took: about when the other end looked at its clock. */
export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, as far as it goes: 256 kB at most. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const bodyLimit = 256 * 1024;

/** Sends a request once, and once more only where a kept connection broke. */
export async function ask(
  transport: Transport,
  request: Pick<Req, "method" | "url"> & Partial<Req>,
  { clock, signal }: Pick<Bench, "clock" | "signal">,
): Promise<Answer> {
  const whole: Req = { headers: {}, signal, once: true, ...request };
  const start = clock.now();
  const response = await transport(whole).catch((error: unknown) => {
    if (!isRegistryError(error, "NETWORK") || !error.retryable || signal.aborted) throw error;
    return transport(whole);
  });
  const at = (start + clock.now()) / 2;
  const bytes = await collect(response.body, bodyLimit).catch((error: unknown) => {
    if (!isRegistryError(error, "TOO_LARGE")) throw error;
    return new Uint8Array();
  });
  const { status, headers } = response;
  return { url: request.url, status, headers, text: Buffer.from(bytes).toString("utf8"), at };
}

/** Whether an answer is a page for people. */
export function isPage({ headers, text }: Answer): boolean {
  return /^text\/html\b/i.test(headers["content-type"] ?? "") || /^\s*<(?:!doctype|html)\b/i.test(text);
}
