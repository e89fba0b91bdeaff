import { aborted } from "../clock.ts";
import { dial, startsWithTls, type Sessions } from "../dial.ts";
import { isFromBody, timeoutsFor } from "../exchange.ts";
import { dialled } from "../guarded.ts";
import { isReset, networkError } from "../network-error.ts";
import { mayUseKept, type Route } from "../routes.ts";
import type { Req, Res } from "../transport.ts";
import { bufferPool } from "./buffers.ts";
import { connection, type Connection } from "./connection.ts";
import { ask } from "./ask.ts";
import { idleConnections } from "./idle.ts";
import { respond } from "./respond.ts";

/** What a request's head is made of. */
export interface Outgoing {
  /** The request-target: a path, or for a proxy the whole URL (RFC 9112, 3.2). */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Requests whose bodies, if any, have a known size, and responses whose bodies come in buffers that are used again: a piece is valid until the next is asked for. */
export interface RawExchanges {
  send(request: Req, route: Route, outgoing: Outgoing): Promise<Res>;
  close(): void;
}

/** Large reads are what makes this way faster than node:http; a connection has three buffers at full speed. */
const bufferSize = 512 * 1024;
const bufferCount = 32;

/** HTTP/1.1 over node:net and node:tls. */
export function rawExchanges(sessions: Sessions, closing: () => AbortSignal): RawExchanges {
  const pool = bufferPool(bufferSize, bufferCount);
  const idle = idleConnections();
  const all = new Set<Connection>();

  const connect = ({ url: { origin } }: Req, route: Route, stop: AbortSignal): Promise<Connection> =>
    dial({ route, sessions, stop }, (open) => {
      const made = connection(open, {
        pool,
        isTls: startsWithTls(route),
        onComplete(connection, isReusable) {
          if (!isReusable || !all.has(connection)) connection.socket.destroy();
          else idle.keep(origin, connection, route.maxIdle);
        },
        onClose(connection) {
          all.delete(connection);
          idle.remove(origin, connection);
        },
      });
      all.add(made);
      return made;
    });
  return {
    async send(request, route, outgoing) {
      const head = requestHead(request, outgoing);
      const { origin } = request.url;
      for (;;) {
        if (request.signal?.aborted) throw aborted(request.signal);
        let used: Connection | undefined;
        try {
          used =
            (mayUseKept(request, route) ? idle.take(origin) : undefined) ??
            (await dialled((stop) => connect(request, route, stop), { request, route, closing: closing() }));
          return respond(
            await ask(used, request, head, timeoutsFor(request, route.timeouts)),
            request,
            route.timeouts.idle,
          );
        } catch (error) {
          if (isFromBody(error)) throw error.fromBody;
          const isStale = used?.mayBeStale === true && isReset(error);
          if (!isStale || request.once) throw networkError(error, request, route.proxy);
        }
      }
    },
    close() {
      for (const connection of all) connection.destroy(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
      all.clear();
      idle.clear();
    },
  };
}

function requestHead({ method, url }: Req, { target, headers }: Outgoing): string {
  const lines = Object.entries({ host: url.host, connection: "keep-alive", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
