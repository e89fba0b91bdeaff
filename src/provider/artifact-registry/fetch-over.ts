import { RegistryError } from "../../oci/error.ts";
import { collect, contentOf } from "../../oci/stream.ts";
import { isConfidential, type IsInsecure } from "../../transport/origin.ts";
import type { Method, Transport } from "../../transport/transport.ts";

const answerLimit = 1024 * 1024;

/**
 * `fetch`, as far as Google's library needs it, over a transport of ours: through its proxies and certificates, without
 * redirects. What could be read on the way is not sent: a body, or an Authorization header, over plain HTTP.
 */
export function fetchOver(transport: Transport, isInsecure: IsInsecure, signal?: AbortSignal): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = Object.fromEntries(new Headers(init.headers));
    // The library names itself: one program is speaking.
    delete headers["user-agent"];
    const text = bodyOf(init.body);
    if (init.body instanceof URLSearchParams) headers["content-type"] ??= "application/x-www-form-urlencoded";
    if ((text !== undefined || headers["authorization"] !== undefined) && !isConfidential(url, isInsecure)) {
      throw new RegistryError("INVALID", `a login would be sent to ${url.host} over plain HTTP`, { host: url.host });
    }
    const bytes = text === undefined ? undefined : Buffer.from(text);
    const response = await transport({
      method: (init.method ?? "GET").toUpperCase() as Method,
      url,
      headers,
      ...(bytes && { body: { size: bytes.byteLength, open: contentOf(bytes) } }),
      ...(signal && { signal }),
      anonymous: true,
    });
    const answer = await collect(response.body, answerLimit, `the answer of ${url.host}`);
    return new Response(answer.byteLength === 0 ? null : Buffer.from(answer), {
      status: response.status,
      headers: response.headers,
    });
  };
}

function bodyOf(body: RequestInit["body"]): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string" || body instanceof URLSearchParams) return String(body);
  throw new TypeError("a body of text or a form is expected");
}
