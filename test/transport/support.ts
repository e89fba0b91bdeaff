import { streamOf } from "../../src/oci/stream.ts";
import { noBody } from "../../src/transport/body.ts";
import type { TransportEvent } from "../../src/transport/events.ts";
import type { Method, Req, Res, Transport } from "../../src/transport/transport.ts";

/** A response by its parts. */
export function respond(status: number, headers: Record<string, string> = {}, text = ""): Res {
  return { status, headers, body: text === "" ? noBody : streamOf(Buffer.from(text)) };
}

/** A transport that answers by a script, one entry for each request, and remembers what it was asked. */
export function scripted(...script: readonly (Res | Error)[]): Transport & { readonly requests: readonly Req[] } {
  const requests: Req[] = [];
  const transport = async (request: Req): Promise<Res> => {
    const next = script[requests.length];
    requests.push(request);
    if (next === undefined)
      throw new Error(`request ${requests.length}, ${request.method} ${request.url.href}, is not in the script`);
    if (next instanceof Error) throw next;
    return next;
  };
  return Object.assign(transport, { requests });
}

/** A request by its parts. */
export function ask(url: string, method: Method = "GET", more: Partial<Req> = {}): Req {
  return { method, url: new URL(url), headers: {}, ...more };
}

/** A listener, and what it heard. */
export function recorder(): { readonly events: TransportEvent[]; readonly onEvent: (event: TransportEvent) => void } {
  const events: TransportEvent[] = [];
  return { events, onEvent: (event) => void events.push(event) };
}
