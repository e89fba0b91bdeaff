import { isRegistryError, RegistryError } from "../oci/error.ts";
import { streamOf, type ByteStream } from "../oci/stream.ts";
import type { Req, Transport } from "../transport/transport.ts";
import type { Reply, ServerRequest } from "./message.ts";

/** A registry's handler as a transport, for clients in the same process: no socket between. */
export function inProcess(handle: (request: ServerRequest) => Promise<Reply>): Transport {
  return async (request) => {
    const { method, signal } = request;
    if (signal?.aborted) throw aborted(request);
    const { status, headers, body } = await handle(serverRequest(request));
    if (signal?.aborted) throw aborted(request);
    if (method === "HEAD" || body === undefined) return { status, headers, body: streamOf() };
    return { status, headers, body: body instanceof Uint8Array ? streamOf(body) : body };
  };
}

function serverRequest({ method, url, headers, body, signal, transient }: Req): ServerRequest {
  const size = body ? body.size : method === "GET" || method === "HEAD" ? undefined : 0;
  return {
    method,
    target: url.pathname + url.search,
    headers: { host: url.host, ...headers, ...(size !== undefined && { "content-length": String(size) }) },
    secure: url.protocol === "https:",
    body: () => (body ? received(body.open, signal) : streamOf()),
    ...(transient && { transient }),
  };
}

/** What a socket would do to a body: its pieces are copies, and its failure is seen as a broken connection. */
async function* received(open: () => Promise<ByteStream>, signal: AbortSignal | undefined): ByteStream {
  try {
    for await (const piece of await open()) {
      signal?.throwIfAborted();
      yield Uint8Array.from(piece);
    }
  } catch (cause) {
    if (isRegistryError(cause, "NETWORK")) throw cause;
    throw new RegistryError("NETWORK", "the client broke off", { cause });
  }
}

function aborted({ method, url, signal }: Req): RegistryError {
  return new RegistryError("ABORTED", `${method} ${url.pathname} was aborted`, { cause: signal?.reason });
}
