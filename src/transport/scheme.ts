import { isRegistryError } from "../oci/error.ts";
import { isLoopback } from "../oci/reference.ts";
import { collect } from "../oci/stream.ts";
import { streamFrom } from "./body.ts";
import { isNotTls } from "./network-error.ts";
import type { IsInsecure } from "./origin.ts";
import { discard, type Middleware, type Req, type Res, type Transport } from "./transport.ts";

/** By which scheme a host (`name[:port]`) is spoken to, as far as that was found out. */
export type Spoken = Map<string, Scheme>;

type Scheme = "http:" | "https:";

/**
 * Finds out how to speak with hosts where plain HTTP is allowed, and remembers it: this machine's are tried in plain HTTP
 * first, those that the user declared insecure over TLS first, unless the URL itself says http. All other hosts get what
 * their URL says. What is tried, and what is found, is noted in `spoken`.
 */
export function scheme({
  isInsecure = () => false,
  spoken = new Map(),
}: { readonly isInsecure?: IsInsecure; readonly spoken?: Spoken } = {}): Middleware {
  const known = new Map<string, Promise<Scheme | undefined>>();
  return (next) => async (request) => {
    const { host } = request.url;
    if (!known.has(host) && !isLoopback(host) && !isInsecure(host)) return next(request);
    for (;;) {
      const found = known.get(host);
      const settled = await found;
      if (settled) return next(over(settled, request));
      if (known.get(host) !== found) continue;
      return discover(next, request, known, spoken);
    }
  };
}

/** Makes the first request the one that finds out, while all others to that host wait for what it finds. */
async function discover(
  next: Transport,
  request: Req,
  known: Map<string, Promise<Scheme | undefined>>,
  spoken: Spoken,
): Promise<Res> {
  const { host } = request.url;
  const plainFirst = isLoopback(host) || request.url.protocol === "http:";
  const order: readonly [Scheme, Scheme] = plainFirst ? ["http:", "https:"] : ["https:", "http:"];
  const { promise, resolve } = Promise.withResolvers<Scheme | undefined>();
  known.set(host, promise);
  spoken.set(host, order[0]);
  try {
    const probe = request.body ? question(request) : request;
    const { response, by } = await tryBoth(next, probe, order);
    spoken.set(host, by);
    resolve(by);
    if (!request.body) return response;
    await discard(response);
    return await next(over(by, request));
  } catch (error) {
    if (known.get(host) === promise) known.delete(host);
    throw error;
  } finally {
    resolve(undefined);
  }
}

async function tryBoth(
  next: Transport,
  request: Req,
  [first, second]: readonly [Scheme, Scheme],
): Promise<{ response: Res; by: Scheme }> {
  let failure: unknown;
  try {
    const plain = over(first, request);
    const response = await unlessForTls(await next(plain), plain, next);
    if (response) return { response, by: first };
  } catch (error) {
    if (!isRegistryError(error, "NETWORK")) throw error;
    failure = error;
  }
  try {
    return { response: await next(over(second, request)), by: second };
  } catch (error) {
    throw tellsMore(error, failure) ? error : (failure ?? error);
  }
}

/**
 * Where TLS is not spoken, what plain HTTP came to is told: it may pass. A certificate that is not trusted says more than
 * the connection that broke because TLS is spoken.
 */
function tellsMore(error: unknown, first: unknown): boolean {
  if (isNotTls(error) || isNotTls(first)) return isNotTls(first);
  return isRegistryError(first) && first.retryable && isRegistryError(error) && !error.retryable;
}

/**
 * Servers that speak TLS answer a plain request with a 400 that says so; any other response is passed on as it was. The
 * answer to a HEAD says nothing: it is asked what it is about.
 */
async function unlessForTls(response: Res, request: Req, next: Transport): Promise<Res | undefined> {
  if (response.status !== 400 || response.headers["docker-distribution-api-version"] !== undefined) return response;
  if (request.method === "HEAD") {
    const told = await unlessForTls(await next(question(request)), question(request), next);
    await discard(told ?? response);
    return told && response;
  }
  const bytes = await collect(response.body, 64 * 1024).catch(() => new Uint8Array());
  if (/HTTP(?: request)? .{0,20}to (?:an )?HTTPS/i.test(Buffer.from(bytes).toString("latin1"))) return undefined;
  const pieces = [bytes].values();
  return {
    ...response,
    body: streamFrom({ next: () => Promise.resolve(pieces.next() as IteratorResult<Uint8Array, undefined>) }),
  };
}

function question({ url, signal, brief }: Req): Req {
  const request: Req = { method: "GET", url: new URL("/v2/", url), headers: {}, anonymous: true };
  return { ...request, ...(signal && { signal }), ...(brief && { brief }) };
}

function over(protocol: Scheme, request: Req): Req {
  const { href, protocol: before } = request.url;
  return before === protocol ? request : { ...request, url: new URL(`${protocol}${href.slice(before.length)}`) };
}
