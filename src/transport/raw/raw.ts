import { aborted } from "../clock.ts";
import { isFromBody, timeoutsFor, type Timeouts } from "../exchange.ts";
import { isReset, networkError } from "../network-error.ts";
import type { TlsOptions } from "../tls.ts";
import type { Req, Res } from "../transport.ts";
import { bufferPool } from "./buffers.ts";
import { connection, type Connection } from "./connection.ts";
import { ask } from "./ask.ts";
import { established } from "./guarded.ts";
import { plainOpener, secureOpener } from "./open.ts";
import { respond } from "./respond.ts";

export interface RawSettings {
  readonly tlsOf: (host: string) => TlsOptions | undefined;
  readonly timeouts: Timeouts;
}

/** Requests whose bodies, if any, have a known size, and responses whose bodies come in buffers that are used again: a piece is valid until the next is asked for. */
export interface RawExchanges {
  send(request: Req, headers: Readonly<Record<string, string>>): Promise<Res>;
  close(): void;
}

/** Large reads are what makes this way faster than node:http; a connection has three buffers at full speed. */
const bufferSize = 512 * 1024;
const bufferCount = 32;

/** HTTP/1.1 over node:net and node:tls. */
export function rawExchanges({ tlsOf, timeouts }: RawSettings): RawExchanges {
  const pool = bufferPool(bufferSize, bufferCount);
  const idle = new Map<string, Connection[]>();
  const all = new Set<Connection>();
  const sessions = new Map<string, Buffer>();

  const connect = async (request: Req): Promise<Connection> => {
    const { url } = request;
    const isTls = url.protocol === "https:";
    const open = isTls ? secureOpener(url, tlsOf(url.host), sessions) : plainOpener(url);
    const made = connection(open, {
      pool,
      isTls,
      onComplete(connection, isReusable) {
        if (!isReusable || !all.has(connection)) connection.socket.destroy();
        else {
          connection.socket.unref();
          idle.set(url.origin, [...(idle.get(url.origin) ?? []), connection]);
        }
      },
      onClose(connection) {
        all.delete(connection);
        idle.set(
          url.origin,
          (idle.get(url.origin) ?? []).filter((other) => other !== connection),
        );
      },
    });
    all.add(made);
    await established(made, request, isTls, timeoutsFor(request, timeouts).connect);
    return made;
  };
  const takeIdle = ({ origin }: URL): Connection | undefined => {
    const connection = idle.get(origin)?.pop();
    connection?.socket.ref();
    return connection;
  };
  return {
    async send(request, headers) {
      const head = requestHead(request, headers);
      for (;;) {
        if (request.signal?.aborted) throw aborted(request.signal);
        let used: Connection | undefined;
        try {
          used = await (takeIdle(request.url) ?? connect(request));
          return respond(await ask(used, request, head, timeoutsFor(request, timeouts)), request, timeouts.idle);
        } catch (error) {
          if (isFromBody(error)) throw error.fromBody;
          const isStale = used?.mayBeStale === true && isReset(error);
          if (!isStale || request.once) throw networkError(error, request);
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

function requestHead({ method, url }: Req, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: url.host, connection: "keep-alive", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
