import { once } from "node:events";
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { RegistryError } from "../../src/oci/error.ts";
import { streamOf, type ByteStream } from "../../src/oci/stream.ts";
import { discard, type Res, type Transport } from "../../src/transport/transport.ts";

/** What goes wrong with one exchange. `at` counts the bytes of that body; at 0, none of it passes. */
export type Fault =
  /** It is answered so at once, and never reaches the other end. */
  | { readonly fault: "answer"; readonly status: number; readonly retryAfter?: number | string }
  /** The connection breaks; on "head", when the other end has done what it was asked, but its answer is lost. */
  | { readonly fault: "drop"; readonly on: "request" | "response"; readonly at: number }
  | { readonly fault: "drop"; readonly on: "head" }
  /** The answer ends early, as if that were all. */
  | { readonly fault: "truncate"; readonly at: number }
  /** A byte has one bit wrong. */
  | { readonly fault: "corrupt"; readonly on: "request" | "response"; readonly at: number }
  | { readonly fault: "delay"; readonly on: "request" | "response"; readonly at: number; readonly ms: number };

/** A fault, and the exchanges it befalls: of those that match, the nth (from 1), or all. The first rule that applies counts. */
export interface FaultRule {
  readonly match: (method: string, url: string) => boolean;
  readonly nth?: number;
  readonly do: Fault;
}

/** Says of each exchange, in the order they come, what goes wrong with it. */
function faultPicker(rules: readonly FaultRule[]): (method: string, url: string) => Fault | undefined {
  const counts = rules.map(() => 0);
  return (method, url) => {
    let found: Fault | undefined;
    for (const [i, rule] of rules.entries()) {
      if (!rule.match(method, url)) continue;
      counts[i]! += 1;
      if (rule.nth === undefined || rule.nth === counts[i]) found ??= rule.do;
    }
    return found;
  };
}

/** A transport on which exchanges fail as the rules say; a broken connection is a NETWORK error, as on the wire. */
export function faulty(next: Transport, rules: readonly FaultRule[]): Transport {
  const pick = faultPicker(rules);
  return async (request) => {
    const fault = pick(request.method, request.url.href);
    if (!fault) return next(request);
    if (fault.fault === "answer") return answered(fault);
    const broken = { request: false };
    const { body } = request;
    const open = async (): Promise<ByteStream> =>
      altered(await body!.open(), fault, "request", () => (broken.request = true));
    const outcome = await next(body ? { ...request, body: { ...body, open } } : request).catch((error: unknown) => {
      throw broken.request ? dropped(request.url.host) : error;
    });
    const lost = broken.request || (fault.fault === "drop" && fault.on === "head");
    if (!lost) return { ...outcome, body: altered(outcome.body, fault, "response") };
    await discard(outcome);
    throw dropped(request.url.host);
  };
}

function answered({ status, retryAfter }: Fault & { readonly fault: "answer" }): Res {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  return { status, headers, body: streamOf() };
}

function dropped(host: string): RegistryError {
  return new RegistryError("NETWORK", `${host} broke the connection off`, { host, retryable: true });
}

/** The stream with its fault; `onDrop` is told before the error is thrown. */
async function* altered(stream: ByteStream, fault: Fault, on: "request" | "response", onDrop?: () => void): ByteStream {
  const side = fault.fault === "answer" ? undefined : fault.fault === "truncate" ? "response" : fault.on;
  if (side !== on) {
    yield* stream;
    return;
  }
  const at = "at" in fault ? fault.at : Infinity;
  let position = 0;
  for await (const piece of stream) {
    const cut = at - position;
    position += piece.byteLength;
    if (cut < 0 || cut >= piece.byteLength) {
      yield piece;
      continue;
    }
    if (cut > 0) yield piece.subarray(0, cut);
    if (fault.fault === "truncate") break;
    if (fault.fault === "drop") {
      onDrop?.();
      throw dropped("the other end");
    }
    if (fault.fault === "delay") await sleep(fault.ms);
    const rest = Uint8Array.from(piece.subarray(cut));
    if (fault.fault === "corrupt") rest[0]! ^= 1;
    yield rest;
  }
}

export interface FaultyProxy {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** How many exchanges had a fault. */
  readonly faults: number;
  close(): Promise<void>;
}

/** A proxy on a free port of 127.0.0.1 before `upstream` (`host:port`, plain HTTP), through which exchanges fail as the rules say. */
export async function faultyProxy(upstream: string, rules: readonly FaultRule[]): Promise<FaultyProxy> {
  const pick = faultPicker(rules);
  const agent = new Agent({ keepAlive: true });
  let faults = 0;
  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    const fault = pick(incoming.method!, incoming.url!);
    if (fault) faults += 1;
    const { socket } = incoming;
    forward(incoming, outgoing, { upstream, agent, fault }).catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get faults() {
      return faults;
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

interface Route {
  readonly upstream: string;
  readonly agent: Agent;
  readonly fault: Fault | undefined;
}

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { upstream, agent, fault }: Route,
): Promise<void> {
  if (fault?.fault === "answer") {
    const { status, headers } = answered(fault);
    outgoing.writeHead(status, { ...headers, connection: "close" }).end();
    return;
  }
  const { hostname, port } = new URL(`http://${upstream}`);
  const { method, url: path, headers } = incoming;
  const onward = httpRequest({ agent, hostname, port, method, path, headers });
  const { socket } = incoming;
  onward.on("error", () => socket.destroy());
  const stop = (): void => void onward.destroy();
  socket.once("close", stop);
  onward.once("close", () => socket.off("close", stop));
  const answer = once(onward, "response") as Promise<[IncomingMessage]>;
  const sent = send(incoming, onward, fault).catch((error: unknown) => {
    onward.destroy();
    throw error;
  });
  const [response] = await Promise.race([answer, sent.then(() => answer)]);
  if (fault?.fault === "drop" && fault.on === "head") throw new Error("the answer is lost");
  outgoing.writeHead(response.statusCode!, response.headers);
  outgoing.flushHeaders();
  const body = fault ? altered(response, fault, "response") : response;
  for await (const piece of body) if (!outgoing.write(piece)) await once(outgoing, "drain");
  if (fault?.fault === "truncate") outgoing.socket?.end();
  else outgoing.end();
}

async function send(
  incoming: IncomingMessage,
  onward: ReturnType<typeof httpRequest>,
  fault: Fault | undefined,
): Promise<void> {
  const body = fault ? altered(incoming, fault, "request") : incoming;
  for await (const piece of body) if (!onward.write(piece)) await once(onward, "drain");
  onward.end();
}
