import type { ByteStream, Content } from "../oci/stream.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** An HTTP request as data. Header names are in lower case; a repeated header is one, joined with ", ". */
export interface Req {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Opened for each attempt; without `size`, sent in chunks. */
  readonly body?: { readonly size?: number; readonly open: Content };
  readonly signal?: AbortSignal;
  /** Whether the pieces of the response's body may be overwritten once the next is asked for. */
  readonly transient?: boolean;
  /** Sent without credentials, and no challenge is answered: what a redirect or a Location leads to elsewhere. */
  readonly anonymous?: boolean;
  /** A failed attempt is the caller's to mend, not to be sent again: an upload whose session has moved on. */
  readonly once?: boolean;
  /** Sent once and with short timeouts: there is another place to ask. */
  readonly brief?: boolean;
  /** The access that it needs, as a scope parameter has it, where the path does not tell: what is no path of the distribution API. */
  readonly scopes?: string;
}

/** An HTTP response: its body is read to the end, or given up by `discard`. */
export interface Res {
  readonly status: number;
  /** As in Req. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ByteStream;
  /** Where the credential was found that a refused request carried, for people. */
  readonly credential?: string;
  /** The mirror (`host[:port]`) that answered in place of the host that was asked. */
  readonly mirror?: string;
}

/** Answers one request. Rejects with a RegistryError (NETWORK, TIMEOUT, ABORTED) where no answer came; any status is an answer. */
export type Transport = (request: Req) => Promise<Res>;

/** Wraps a transport in one concern. */
export type Middleware = (next: Transport) => Transport;

/** Stacks middlewares over a wire, the first outermost. */
export function compose(wire: Transport, ...layers: readonly Middleware[]): Transport {
  return layers.reduceRight((next, layer) => layer(next), wire);
}

/** Gives a response's body up, so that its connection is free or closed. */
export async function discard(response: Res): Promise<void> {
  await response.body[Symbol.asyncIterator]().return?.();
}
