import type { Agent } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { dial, type Sessions } from "./dial.ts";
import { dialled } from "./guarded.ts";
import type { Route } from "./routes.ts";

export interface AgentSettings {
  /** How many connections there may be to one host. */
  readonly maxSockets?: number;
}

/** Node's HTTP agents: for each origin one that keeps connections alive, and one that does not. */
export interface Agents {
  find(url: URL, route: Route, isKept: boolean): Agent;
  close(): void;
}

/** What a request's options carry for its agent: Node tells a request that waits for its connection of no abortion. */
export interface Dialed {
  readonly dialSignal: AbortSignal | undefined;
  /** Whether it is to be connected in short order, or given up. */
  readonly dialBrief: boolean | undefined;
}

type Callback = (error: Error | null, socket?: Duplex) => void;

/** Agents whose sockets are dialled as all others are: what they get is connected, and trusted. */
export function agents({ maxSockets }: AgentSettings, sessions: Sessions, closing: () => AbortSignal): Agents {
  const known = new Map<string, { readonly agent: Agent; readonly route: Route }>();
  const create = (url: URL, route: Route, maxIdle: number): Agent => {
    const { Agent } = process.getBuiltinModule(url.protocol === "http:" ? "node:http" : "node:https");
    const agent: Agent = new Agent({
      keepAlive: maxIdle > 0,
      ...(maxIdle > 0 && { timeout: maxIdle }),
      ...(maxSockets !== undefined && { maxSockets }),
    });
    const connect = (stop: AbortSignal): Promise<{ readonly socket: Socket }> =>
      dial({ route, sessions, stop }, (open) => ({ socket: open() }));
    const open = async ({ dialSignal: signal, dialBrief: brief }: Dialed, callback: Callback): Promise<void> => {
      let opened: { readonly socket: Socket };
      try {
        opened = await dialled(connect, {
          request: { url, signal, ...(brief && { brief }) },
          route,
          closing: closing(),
        });
      } catch (error) {
        return callback(error as Error);
      }
      callback(null, opened.socket);
    };
    const createConnection = (options: Dialed, callback: Callback): void => void open(options, callback);
    return Object.assign(agent, { createConnection });
  };
  return {
    find(url, route, isKept) {
      const key = `${isKept} ${url.origin}`;
      const found = known.get(key);
      // Whom to trust may have changed, after nobody that was trusted vouched for the host: there is no connection to keep.
      if (found?.route === route) return found.agent;
      const agent = create(url, route, isKept ? route.maxIdle : 0);
      known.set(key, { agent, route });
      return agent;
    },
    close() {
      for (const { agent } of known.values()) agent.destroy();
      known.clear();
    },
  };
}
