import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Dialed } from "./agents.ts";
import { hasBody, noBody } from "./body.ts";
import { aborted } from "./clock.ts";
import { deadline, type Deadline } from "./deadline.ts";
import { incomingBody } from "./incoming.ts";
import { isReset, networkError, timeoutError } from "./network-error.ts";
import type { Route } from "./routes.ts";
import type { Req, Res } from "./transport.ts";
import { upload, type Outlet } from "./upload.ts";

/** How long to wait, in milliseconds, for each phase of an exchange; 0 is for ever. */
export interface Timeouts {
  readonly connect: number;
  /** From the request's end to the response's head. */
  readonly answer: number;
  /** For the next piece, in either direction. */
  readonly idle: number;
}

/** The longest that a `brief` request waits for a connection and for an answer, in milliseconds. */
const briefTimeouts = { connect: 3000, answer: 10_000 };

/** How long this very request waits. */
export function timeoutsFor({ brief }: Pick<Req, "brief">, timeouts: Timeouts): Timeouts {
  if (!brief) return timeouts;
  const least = (ms: number, limit: number): number => (ms === 0 ? limit : Math.min(ms, limit));
  return {
    ...timeouts,
    connect: least(timeouts.connect, briefTimeouts.connect),
    answer: least(timeouts.answer, briefTimeouts.answer),
  };
}

/** The longest response head that is read, in bytes. */
const maxHeaderSize = 32 * 1024;

/** Thrown where a kept connection turned out to be dead before anything came back on it: the request may be sent on another. */
export const staleConnection: unique symbol = Symbol("stale connection");

interface Way {
  readonly agent: Agent;
  readonly route: Route;
  /** The request-target: a path, or for a proxy the whole URL (RFC 9112, 3.2). */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
}

/** One request and its response over an agent of node:http; rejects with a RegistryError, what the request's body threw, or `staleConnection`. */
export async function exchange(request: Req, way: Way): Promise<Res> {
  if (request.signal?.aborted) throw aborted(request.signal);
  const { proxy } = way.route;
  const timeouts = timeoutsFor(request, way.route.timeouts);
  const outgoing = openRequest(request, way);
  const timer = deadline();
  const giveUp = (): void => void outgoing.destroy(aborted(request.signal));
  request.signal?.addEventListener("abort", giveUp, { once: true });
  try {
    const incoming = await converse(outgoing, request, timer, timeouts);
    return await respond(outgoing, incoming, request, timer, timeouts.idle);
  } catch (error) {
    outgoing.destroy();
    if (isFromBody(error)) throw error.fromBody;
    if (outgoing.reusedSocket && isReset(error)) throw staleConnection;
    throw networkError(error, request, proxy);
  } finally {
    timer.stop();
    request.signal?.removeEventListener("abort", giveUp);
  }
}

function openRequest({ method, url, signal, brief }: Req, { agent, target, headers }: Way): ClientRequest {
  const { request } = process.getBuiltinModule(url.protocol === "https:" ? "node:https" : "node:http");
  const dialing: Dialed = { dialSignal: signal, dialBrief: brief };
  return request({
    ...dialing,
    agent,
    method,
    headers: { host: url.host, ...headers },
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port,
    path: target,
    maxHeaderSize,
  });
}

/** Sends the body while it listens: a registry may answer, say 413, before it has read everything. */
async function converse(
  outgoing: ClientRequest,
  request: Req,
  timer: Deadline,
  timeouts: Timeouts,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  let answered = false;
  outgoing.once("response", (incoming) => {
    answered = true;
    timer.stop();
    resolve(incoming);
  });
  outgoing.on("error", reject);
  outgoing.once("close", () => {
    if (!answered) reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
  });
  const { answer } = timeouts;
  const send = async (): Promise<void> => {
    await upload(outletOf(outgoing), request, timer, timeouts.idle);
    if (answered || outgoing.destroyed) return;
    timer.set(answer, () => outgoing.destroy(timeoutError("did not answer", answer, request)));
  };
  send().catch((error: unknown) => reject({ fromBody: error }));
  return promise;
}

function outletOf(outgoing: ClientRequest): Outlet {
  return {
    write: (piece, sent) => void outgoing.write(piece, () => sent()),
    end: () => void outgoing.end(),
    destroy: (error) => void outgoing.destroy(error),
    onSettled: (stop) => void outgoing.once("response", stop).once("close", stop),
  };
}

async function respond(
  outgoing: ClientRequest,
  incoming: IncomingMessage,
  request: Req,
  timer: Deadline,
  idle: number,
): Promise<Res> {
  const status = incoming.statusCode!;
  const headers = flatten(incoming.headers);
  const early = !outgoing.writableFinished;
  const over = (): void => {
    if (early) outgoing.destroy();
  };
  if (!hasBody(request.method, status, headers)) {
    await new Promise<void>((resolve) =>
      incoming.once("end", resolve).once("close", resolve).on("error", resolve).resume(),
    );
    over();
    return { status, headers, body: noBody };
  }
  const length = headers["content-length"] === undefined ? undefined : Number(headers["content-length"]);
  return { status, headers, body: incomingBody(incoming, { request, early, over, length, timer, idle }) };
}

function flatten(headers: IncomingMessage["headers"]): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  return flat;
}

/** What the request's body threw, which is not of the network, whatever it looks like. */
export function isFromBody(error: unknown): error is { readonly fromBody: unknown } {
  return typeof error === "object" && error !== null && "fromBody" in error;
}
