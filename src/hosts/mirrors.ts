import { algorithmOf, digestOf, isDigest } from "../oci/digest.ts";
import { isRegistryError, RegistryError, type ErrorCode } from "../oci/error.ts";
import { manifestLimit } from "../oci/manifest.ts";
import { collect, streamOf } from "../oci/stream.ts";
import { whenOver } from "../transport/body.ts";
import type { OnEvent } from "../transport/events.ts";
import { retryAfter } from "../transport/retry-after.ts";
import { discard, type Middleware, type Req, type Res, type Transport } from "../transport/transport.ts";
import { urlAt, type Endpoint } from "./endpoint.ts";
import type { Places } from "./places.ts";
import type { Rest } from "./rest.ts";

export interface MirrorsOptions {
  /** The registry's `host[:port]`, as references name it. */
  readonly registry: string;
  readonly places: Places;
  readonly rest: Rest;
  readonly onEvent?: OnEvent;
}

/** A request that names what a repository has, by its parts. */
const route = /^\/v2\/(.+)\/((?:manifests|blobs|tags|referrers)\/.*)$/;

/** Lets nothing through to what files block: DENIED, before any request. */
export function refuseBlocked({ registry, places }: MirrorsOptions): Middleware {
  return (next) => async (request) => {
    places.checkBlocked(registry, route.exec(request.url.pathname)?.[1]);
    return next(request);
  };
}

/**
 * Asks mirrors for manifests and blobs, in their order, and then the place itself; everything else goes where its URL
 * says. A mirror has one attempt with short timeouts. One that breaks or is busy is left alone for a while; what it
 * refuses or does not have, the next may. Where the place itself cannot be reached, the mirrors that were too slow or
 * left alone are asked once more, with all patience.
 */
export function mirrors(options: MirrorsOptions): Middleware {
  return (next) => async (request) => {
    const [, repository, path] = route.exec(request.url.pathname) ?? [];
    if (repository === undefined || path === undefined || !isPull(request, path)) return next(request);
    const by = path.startsWith("blobs/") || isDigest(path.slice("manifests/".length)) ? "digest" : "tag";
    const endpoints = options.places.endpoints({ registry: options.registry, repository, by });
    const [last, ...others] = endpoints.toReversed() as [Endpoint, ...Endpoint[]];
    const asked = (endpoint: Endpoint): Req =>
      endpoint.origin === undefined ? request : { ...request, url: urlAt(endpoint, path) };
    const failures: string[] = [];
    const broken: Endpoint[] = [];
    for (const mirror of others.toReversed()) {
      const outcome = options.rest.isResting(mirror.base.host)
        ? { why: "was left alone", isBroken: true }
        : await tryMirror(next, { ...asked(mirror), brief: true }, options);
      if (outcome.response) return outcome.response;
      failures.push(`${mirror.base.host} ${outcome.why}`);
      if (outcome.isBroken) broken.push(mirror);
    }
    try {
      return await next(asked(last));
    } catch (error) {
      if (!isRegistryError(error, "NETWORK", "TIMEOUT")) throw error;
      for (const mirror of broken) {
        const { response } = await tryMirror(next, asked(mirror), options);
        if (response) return response;
      }
      throw withFailures(error, failures);
    }
  };
}

function isPull({ method }: Req, path: string): boolean {
  return (method === "GET" || method === "HEAD") && /^(?:manifests|blobs)\/[^/]+$/.test(path);
}

type Outcome =
  | { readonly response: Res }
  /** Why not, for people, and whether it failed as such, rather than having said no. */
  | { readonly response?: never; readonly why: string; readonly isBroken: boolean };

async function tryMirror(next: Transport, request: Req, options: MirrorsOptions): Promise<Outcome> {
  const mirror = request.url.host;
  const leave = (reason: { readonly status?: number; readonly error?: ErrorCode }, asked?: number): void => {
    const ms = options.rest.leave(mirror, asked);
    if (ms !== undefined) options.onEvent?.({ type: "mirror", host: options.registry, mirror, ms, ...reason });
  };
  try {
    const response = await next(request);
    const { status } = response;
    if (status === 200 || status === 206) {
      const good = await checked(request, response);
      const onBroken = (error: unknown): void => {
        if (isPassing(error)) leave({ error: error.code });
      };
      return { response: { ...whenOver(request.method, good, (_, error) => onBroken(error)), mirror } };
    }
    await discard(response);
    const isBroken = status >= 500 || status === 429;
    if (isBroken) leave({ status }, retryAfter(response.headers, options.rest.now()));
    return { why: `answered ${status}`, isBroken };
  } catch (error) {
    if (!isRegistryError(error) || error.code === "ABORTED" || error.code === "INVALID") throw error;
    const isBroken = error.status === undefined || error.status >= 500 || error.status === 429;
    if (isBroken) leave({ error: error.code });
    return { why: `failed (${error.code})`, isBroken };
  }
}

function isPassing(error: unknown): error is RegistryError {
  return isRegistryError(error, "NETWORK", "TIMEOUT");
}

/** A manifest that was asked for by its digest is it, or the next is asked; a blob is checked by who reads it. */
async function checked(request: Req, response: Res): Promise<Res> {
  const digest = /\/manifests\/([^/]+)$/.exec(request.url.pathname)?.[1] ?? "";
  if (request.method !== "GET" || !isDigest(digest)) return response;
  const bytes = await collect(response.body, manifestLimit, `manifest ${digest}`);
  if (digestOf(bytes, algorithmOf(digest)) === digest) return { ...response, body: streamOf(bytes) };
  throw new RegistryError("UNVERIFIED", `${request.url.host} sent other bytes for ${digest}`, {
    host: request.url.host,
  });
}

/** The error of the place itself; what its mirrors said before is told with it. */
function withFailures(error: RegistryError, failures: readonly string[]): RegistryError {
  if (failures.length === 0) return error;
  const told = `${error.message}; before that, of its mirrors ${failures.join(", ")}`;
  return new RegistryError(error.code, told, error);
}
