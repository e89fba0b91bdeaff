import type { Connection } from "./connection.ts";

/** Connections that nobody uses, kept for as long as they may be. */
export interface IdleConnections {
  /** Keeps a connection of an origin for at most so many milliseconds. */
  keep(origin: string, connection: Connection, maxIdle: number): void;
  /** The one that was used last, no longer kept here. */
  take(origin: string): Connection | undefined;
  /** Forgets one that has ended. */
  remove(origin: string, connection: Connection): void;
  clear(): void;
}

interface Kept {
  readonly connection: Connection;
  readonly until: number;
}

/** Node's timers take no more, in milliseconds: 24 days. */
const longest = 2 ** 31 - 1;

/** Milliseconds that nobody sets back; `performance` is a module that takes Node 3 ms to load. */
const uptime = (): number => process.uptime() * 1000;

/** One timer for all: it runs only while something is kept, and keeps no process alive. */
export function idleConnections(now = uptime): IdleConnections {
  const byOrigin = new Map<string, Kept[]>();
  let timer: NodeJS.Timeout | undefined;
  const sweep = (): void => {
    timer = undefined;
    const time = now();
    let next = Infinity;
    for (const [origin, kept] of byOrigin) {
      for (const { connection, until } of kept) {
        if (until > time) next = Math.min(next, until);
        else {
          remove(origin, connection);
          connection.socket.destroy();
        }
      }
    }
    if (next < Infinity) timer = setTimeout(sweep, Math.min(next - time, longest)).unref();
  };
  const remove = (origin: string, connection: Connection): void => {
    const left = (byOrigin.get(origin) ?? []).filter((one) => one.connection !== connection);
    if (left.length > 0) byOrigin.set(origin, left);
    else byOrigin.delete(origin);
  };
  return {
    keep(origin, connection, maxIdle) {
      if (maxIdle <= 0) {
        connection.socket.destroy();
        return;
      }
      connection.socket.unref();
      const kept = byOrigin.get(origin) ?? [];
      kept.push({ connection, until: now() + maxIdle });
      byOrigin.set(origin, kept);
      timer ??= setTimeout(sweep, Math.min(maxIdle, longest)).unref();
    },
    take(origin) {
      const kept = byOrigin.get(origin)?.pop();
      if (!kept) return undefined;
      if (kept.until > now()) {
        kept.connection.socket.ref();
        return kept.connection;
      }
      kept.connection.socket.destroy();
      return undefined;
    },
    remove,
    clear() {
      clearTimeout(timer);
      byOrigin.clear();
    },
  };
}
