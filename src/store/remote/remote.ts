import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { collect } from "../../oci/stream.ts";
import { aborted, systemClock, type Clock } from "../../transport/clock.ts";
import type { IsInsecure } from "../../transport/origin.ts";
import { discard, type Req, type Res, type Transport } from "../../transport/transport.ts";
import { explained, nonsense, type Attempt } from "./answer.ts";
import { remoteShared, type RemoteShared } from "./shared.ts";
import { apiHost } from "../../oci/reference.ts";

/** Where a registry is spoken to, and how. */
export interface RemoteOptions {
  /** The whole stack of middlewares over a wire, or a registry in this process. */
  readonly transport: Transport;
  /** The registry's `host[:port]`, as references name it. */
  readonly registry: string;
  /** Where its API answers: `https://` and its host, unless told otherwise; a path is put before `/v2/`. */
  readonly origin?: URL;
  /** What is known of the host; stores of one host do better with one. */
  readonly shared?: RemoteShared;
  /** Hosts that may lead to plain HTTP and to private addresses. */
  readonly isInsecure?: IsInsecure;
  /** How often in a row what broke off is tried again, or gone on with, while it gets no further; 5. */
  readonly retries?: number;
  /** Tells when that is. */
  readonly clock?: Clock;
}

/** A registry as its requests see it. */
export interface Remote {
  readonly registry: string;
  readonly origin: URL;
  readonly shared: RemoteShared;
  /** Sends a request; where no answer comes, the error says what was tried. */
  send(request: Req, attempt: Attempt): Promise<Res>;
  readonly retries: number;
  readonly clock: Clock;
  readonly isInsecure?: IsInsecure;
  /** The URL of a path below `/v2/`. */
  url(path: string, query?: Readonly<Record<string, string>>): URL;
}

/** One repository as its requests see it; paths are below the repository's. */
export interface RemoteRepository extends Remote {
  readonly repository: string;
  /** `registry.example/app`. */
  readonly name: string;
}

export function remote({ transport, registry, origin, shared, isInsecure, retries, clock }: RemoteOptions): Remote {
  const base = origin ?? new URL(`https://${apiHost(registry)}`);
  const start = `${base.origin}${base.pathname.replace(/\/+$/, "")}/v2/`;
  return {
    registry,
    origin: base,
    shared: shared ?? remoteShared(registry),
    async send(request, attempt) {
      if (request.signal?.aborted) throw aborted(request.signal);
      try {
        return await transport(request);
      } catch (error) {
        throw explained(error, attempt);
      }
    },
    retries: retries ?? 5,
    clock: clock ?? systemClock,
    ...(isInsecure && { isInsecure }),
    url: (path, query = {}) => {
      const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
      return new URL(`${start}${path}${pairs.length > 0 ? "?" : ""}${pairs.join("&")}`);
    },
  };
}

export function remoteRepository(host: Remote, repository: string): RemoteRepository {
  return {
    ...host,
    repository,
    name: `${host.registry}/${repository}`,
    url: (path, query) => host.url(`${repository}/${path}`, query),
  };
}

/** A small answer read to its end. */
export interface Whole {
  readonly response: Res;
  /** Empty unless the status is 200. */
  readonly bytes: Uint8Array;
}

/** Sends a GET and reads its whole body, again when it breaks off; throws TOO_LARGE past `limit` bytes. */
export async function getWhole(
  host: Remote,
  request: Omit<Req, "method">,
  limit: number,
  attempt: Attempt,
): Promise<Whole> {
  for (let failures = 1; ; failures++) {
    const response = await host.send({ ...request, method: "GET", transient: true }, attempt);
    if (response.status !== 200) return { response, bytes: new Uint8Array() };
    const length = contentLength(response);
    if (length !== undefined && length > limit) {
      await discard(response);
      throw new RegistryError("TOO_LARGE", `cannot ${attempt.what}: it has ${length} bytes, ${limit} are allowed`, {
        host: host.registry,
      });
    }
    try {
      const bytes = await collect(response.body, limit, `the answer to "${attempt.what}"`);
      if (length !== undefined && bytes.byteLength < length)
        throw nonsense(attempt, `sent ${bytes.byteLength} of ${length} bytes`, true);
      return { response, bytes };
    } catch (error) {
      if (!mayPass(error, request.signal) || failures > retriesAfter(host, response)) throw explained(error, attempt);
      await pauseAfter(host, failures, request);
    }
  }
}

/** The Content-Length of an answer that is sent as it is. */
export function contentLength(response: Res): number | undefined {
  const { "content-length": length, "content-encoding": encoding } = response.headers;
  if (length === undefined || !/^\d{1,15}$/.test(length) || (encoding !== undefined && encoding !== "identity"))
    return undefined;
  return Number(length);
}

/** How often to go on after an answer that broke off: behind a mirror is the registry itself, which is no try again. */
export function retriesAfter({ retries }: Pick<Remote, "retries">, { mirror }: Pick<Res, "mirror">): number {
  return mirror === undefined ? retries : retries + 1;
}

const firstPause = 500;
const longestPause = 20_000;
const patience = 300_000;

/** Waits after the n-th failure in a row: a random part of a delay that doubles, or what the host asked for where that is more. */
export async function pauseAfter(
  { clock }: Pick<Remote, "clock">,
  failures: number,
  { signal, asked = 0 }: { readonly signal?: AbortSignal; readonly asked?: number } = {},
): Promise<void> {
  const jittered = clock.random() * Math.min(longestPause, firstPause * 2 ** (failures - 1));
  await clock.sleep(Math.max(jittered, Math.min(patience, asked)), signal);
}

/** Whether another try may succeed where this error was the answer. */
export function mayPass(error: unknown, signal: AbortSignal | undefined): boolean {
  return !signal?.aborted && isRegistryError(error) && error.retryable;
}
