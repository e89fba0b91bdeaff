import type { TokenCredentialOptions } from "@azure/identity";
import { collect, contentOf } from "../../oci/stream.ts";
import type { Method, Req, Transport } from "../../transport/transport.ts";

type HttpClient = NonNullable<TokenCredentialOptions["httpClient"]>;
type PipelineRequest = Parameters<HttpClient["sendRequest"]>[0];
type HttpHeaders = PipelineRequest["headers"];

const answerLimit = 1024 * 1024;

/** Azure's library's requests over our transport: through our proxies and certificates, and never on to where a redirect leads. */
export function httpClientOver(transport: Transport): HttpClient {
  return {
    async sendRequest(request) {
      const { url, method, headers } = request;
      const bytes = bytesOf(request);
      const response = await transport({
        method: method as Method,
        url: new URL(url),
        headers: Object.fromEntries([...headers].filter(([name]) => !isOurs(name))),
        ...(bytes && { body: { size: bytes.byteLength, open: contentOf(bytes) } }),
        signal: signalOf(request),
        anonymous: true,
      });
      const text = await collect(response.body, answerLimit, `the answer of ${new URL(url).host}`);
      return {
        request,
        status: response.status,
        headers: headersOf(response.headers),
        bodyAsText: new TextDecoder().decode(text),
      };
    },
  };
}

/** What the transport says itself, or asks for nothing that it undoes. */
function isOurs(name: string): boolean {
  return /^(?:accept-encoding|content-length|user-agent|host|connection)$/i.test(name);
}

function bytesOf({ body }: PipelineRequest): Buffer | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string") return Buffer.from(body);
  throw new TypeError("Azure's library sends forms and nothing else");
}

function signalOf({ abortSignal, timeout }: PipelineRequest): NonNullable<Req["signal"]> {
  const stop = new AbortController();
  if (abortSignal?.aborted) stop.abort();
  abortSignal?.addEventListener("abort", () => stop.abort());
  return timeout > 0 ? AbortSignal.any([stop.signal, AbortSignal.timeout(timeout)]) : stop.signal;
}

function headersOf(given: Readonly<Record<string, string>>): HttpHeaders {
  const values = new Map(Object.entries(given));
  return {
    get: (name) => values.get(name.toLowerCase()),
    has: (name) => values.has(name.toLowerCase()),
    set: (name, value) => void values.set(name.toLowerCase(), String(value)),
    delete: (name) => void values.delete(name.toLowerCase()),
    toJSON: () => Object.fromEntries(values),
    [Symbol.iterator]: () => values[Symbol.iterator](),
  };
}
