import { faultyProxy } from "../../test/support/faults.ts";

/** A registry as seen through a proxy that writes down what is asked. */
export interface Recorder extends AsyncDisposable {
  /** `127.0.0.1:PORT`, in place of the registry's own. */
  readonly host: string;
  /** `METHOD /path?query`, in the order they came. */
  readonly requests: readonly string[];
}

/** Puts a proxy on a free port before the registry at `upstream`; it changes nothing. */
export async function recorder(upstream: string): Promise<Recorder> {
  const requests: string[] = [];
  const match = (method: string, url: string): boolean => requests.push(`${method} ${url}`) < 0;
  const proxy = await faultyProxy(upstream, [{ match, do: { fault: "drop", on: "head" } }]);
  return { host: proxy.host, requests, [Symbol.asyncDispose]: () => proxy.close() };
}
