import type { Transport } from "../../transport/transport.ts";

const clients = new WeakMap<Transport, Map<string, unknown>>();

/** What all hosts that are spoken to over one transport have in common, made once for each key: an AWS login, a token of a region. */
export function shared<T>(transport: Transport, key: string, make: () => T): T {
  const things = clients.get(transport) ?? new Map<string, unknown>();
  clients.set(transport, things);
  if (!things.has(key)) things.set(key, make());
  return things.get(key) as T;
}
