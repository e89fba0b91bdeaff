import { isIPv6 } from "node:net";
import { blame } from "../blame.ts";
import type { Bench } from "../context.ts";
import { fine, warning, type Diagnosis, type Step } from "../diagnosis.ts";
import type { Place } from "../place.ts";
import type { Target } from "./dns.ts";

/** The target, with the addresses that take connections alone. */
export type Reached = Target;

/** So much of the check's time is for connecting; the rest is for telling of it. */
const share = 0.9;

/** Connects to each address at once; a host that some of them lead to is reached, more slowly. */
export async function checkTcp(place: Place, target: Target, bench: Bench): Promise<Step<Reached>> {
  const tries = await Promise.all(target.addresses.map((address) => connectTo(address, target.port, bench)));
  const open = tries.filter((one) => one.error === undefined);
  const failed = tries.filter((one) => one.error !== undefined);
  const told = failed.map(({ address, error }): Diagnosis => {
    const host = hostOf(address, target.port);
    const found = { ...blame("tcp", error, { ...place, host }), host };
    if (open.length === 0) return found;
    const cause = isIPv6(address) ? `${found.cause}; every connection tries it and waits` : found.cause;
    return warning("tcp", found.message, { host, ...(cause && { cause }) });
  });
  if (open.length === 0) return { told };
  const list = open.map(({ address, ms }) => `${hostOf(address, target.port)} (${Math.round(ms)} ms)`).join(", ");
  return {
    told: [fine("tcp", `connects to ${list}`, { host: place.host }), ...told],
    known: { ...target, addresses: open.map(({ address }) => address) },
  };
}

interface Try {
  readonly address: string;
  readonly ms: number;
  readonly error?: unknown;
}

async function connectTo(address: string, port: number, { connect, clock, timeout, signal }: Bench): Promise<Try> {
  const start = clock.now();
  const late = AbortSignal.timeout(timeout * share);
  try {
    const socket = await connect({ address, port }, AbortSignal.any([signal, late]));
    socket.destroy();
    return { address, ms: clock.now() - start };
  } catch (error) {
    if (signal.aborted) throw error;
    const told = late.aborted ? Object.assign(new Error("late"), { code: "ETIMEDOUT" }) : error;
    return { address, ms: clock.now() - start, error: told };
  }
}

function hostOf(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
