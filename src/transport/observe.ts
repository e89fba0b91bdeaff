import { isRegistryError } from "../oci/error.ts";
import type { ByteStream } from "../oci/stream.ts";
import { whenOver } from "./body.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { OnEvent, TransportEvent } from "./events.ts";
import { redactUrl } from "./redact.ts";
import type { Middleware, Req } from "./transport.ts";
import { warnings } from "./warnings.ts";

export interface ObserveSettings {
  readonly onEvent: OnEvent;
  readonly clock?: Clock;
}

/** So many different warnings are remembered, and said once, for each run. */
const maxWarnings = 1000;

/** Tells of each request when it is over, and of each warning that a registry sends, once. */
export function observe({ onEvent, clock = systemClock }: ObserveSettings): Middleware {
  const said = new Set<string>();
  const warn = (host: string, header: string | undefined): void => {
    for (const text of warnings(header)) {
      const key = `${host} ${text}`;
      if (said.has(key) || said.size >= maxWarnings) continue;
      said.add(key);
      onEvent({ type: "warning", host, text });
    }
  };
  return (next) => async (request) => {
    const { method, url } = request;
    const start = clock.now();
    const count = { sent: 0 };
    let answerMs = 0;
    const tell = (outcome: Pick<Extract<TransportEvent, { type: "request" }>, "status" | "error" | "received">): void =>
      onEvent({
        type: "request",
        method,
        url: redactUrl(url),
        host: url.host,
        answerMs,
        ms: clock.now() - start,
        ...count,
        ...outcome,
      });
    try {
      const response = await next(counted(request, count));
      answerMs = clock.now() - start;
      warn(url.host, response.headers["warning"]);
      return whenOver(method, response, (received, error) =>
        tell({ status: response.status, received, ...codeOf(error) }),
      );
    } catch (error) {
      answerMs = clock.now() - start;
      tell({ received: 0, ...codeOf(error ?? "") });
      throw error;
    }
  };
}

function codeOf(error: unknown): Pick<Extract<TransportEvent, { type: "request" }>, "error"> {
  if (error === undefined) return {};
  return { error: isRegistryError(error) ? error.code : "UNKNOWN" };
}

function counted(request: Req, count: { sent: number }): Req {
  const { body } = request;
  if (!body) return request;
  return { ...request, body: { ...body, open: async () => counting(await body.open(), count) } };
}

async function* counting(stream: ByteStream, count: { sent: number }): AsyncGenerator<Uint8Array, void> {
  for await (const piece of stream) {
    count.sent += piece.byteLength;
    yield piece;
  }
}
