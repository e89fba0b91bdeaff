import { RegistryError } from "../../oci/error.ts";
import { collect, contentOf } from "../../oci/stream.ts";
import { isConfidential } from "../../transport/origin.ts";
import type { Method } from "../../transport/transport.ts";
import type { CredentialContext } from "../provider.ts";

/** A request of the SDK. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly reason?: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/** What the clients of the SDK send requests through, in the place of its own sockets. */
export interface SdkHandler {
  readonly metadata: { readonly handlerProtocol: string };
  handle(
    request: SdkRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ readonly response: SdkResponse }>;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): object;
  destroy(): void;
}

const answerLimit = 32 * 1024 * 1024;

/** Sends what the SDK made and signed over our transport: its proxies, certificates, events and retries; `brief` is as in Req. */
export function sdkHandler(
  { transport, isInsecure }: Pick<CredentialContext, "transport" | "isInsecure">,
  { brief = false }: { readonly brief?: boolean } = {},
): SdkHandler {
  return {
    metadata: { handlerProtocol: "http/1.1" },
    async handle(request, { abortSignal } = {}) {
      const url = urlOf(request);
      if (!isConfidential(url, isInsecure)) throw tooOpen(url);
      const bytes = bytesOf(request.body);
      const { status, headers, body } = await transport({
        method: request.method as Method,
        url,
        headers: headersOf(request.headers),
        ...(bytes && { body: { size: bytes.byteLength, open: contentOf(bytes) } }),
        ...(abortSignal instanceof AbortSignal && { signal: abortSignal }),
        ...(brief && { brief }),
        anonymous: true,
      });
      const answer = await collect(body, answerLimit, `the answer of ${url.host}`);
      if (isNothing(status, answer) && "x-amz-target" in headersOf(request.headers)) throw notAws(url);
      return { response: { statusCode: status, headers: { ...headers }, body: answer } };
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {},
  };
}

/** The JSON APIs of ECR answer each call with an object: the SDK would take nothing at all for a success. */
function isNothing(status: number, answer: Uint8Array): boolean {
  return status >= 200 && status < 300 && answer.byteLength === 0;
}

function notAws({ host }: URL): RegistryError {
  return new RegistryError("NETWORK", `${host} does not answer as AWS does`, {
    host,
    hint: "see where AWS_ENDPOINT_URL, its kin and hosts.HOST.api of the configuration lead",
  });
}

function urlOf({ protocol, hostname, port, path, query = {} }: SdkRequest): URL {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) url.searchParams.append(name, one ?? "");
  }
  return url;
}

/** Without those that the wire writes itself. */
function headersOf(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = ["host", "content-length", "user-agent"];
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(lower.filter(([name]) => !own.includes(name)));
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string") return Buffer.from(body);
  throw new RegistryError("INVALID", "the AWS SDK sends a body that is neither text nor bytes");
}

function tooOpen({ host }: URL): RegistryError {
  return new RegistryError("UNAUTHORIZED", `the AWS API at ${host} would be asked over plain HTTP`, {
    host,
    hint: "use HTTPS, or declare the host insecure",
  });
}
