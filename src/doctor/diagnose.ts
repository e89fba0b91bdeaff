import { isRegistryError } from "../oci/error.ts";
import { systemClock } from "../transport/clock.ts";
import { checkApi } from "./checks/api.ts";
import { readAbilities, unprobed } from "./checks/abilities.ts";
import { checkClock } from "./checks/clock.ts";
import { checkCredential } from "./checks/credential.ts";
import { checkDns } from "./checks/dns.ts";
import { checkLimit } from "./checks/limit.ts";
import { checkLogin } from "./checks/login.ts";
import { checkName } from "./checks/name.ts";
import { checkProxy } from "./checks/proxy.ts";
import { checkPull } from "./checks/pull.ts";
import { checkPush } from "./checks/push.ts";
import { checkTcp } from "./checks/tcp.ts";
import { checkTls } from "./checks/tls.ts";
import { checkWrite, writeAbilities, type Written } from "./checks/write.ts";
import type { Bench, DiagnoseOptions, DoctorContext } from "./context.ts";
import { fault, type Diagnosis, type Step } from "./diagnosis.ts";
import { parsePlace, type Place } from "./place.ts";
import { runner } from "./runner.ts";
import { systemConnect, systemLookup } from "./socket.ts";

/**
 * Looks at the way to a registry (`HOST[:PORT]` or a reference), from its name down to what may be read there, and tells
 * what it finds in that order. Each check has its own time; one that a fault makes pointless is skipped and says so.
 * Nothing is written without `writeCheck`, and no login goes where commands would not send it. Throws ABORTED alone.
 */
export async function* diagnose(
  target: string,
  context: DoctorContext,
  options: DiagnoseOptions = {},
): AsyncGenerator<Diagnosis, void> {
  let place: Place;
  try {
    place = parsePlace(target);
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    yield fault("name", error.message, { code: error.code, ...(error.hint !== undefined && { cause: error.hint }) });
    return;
  }
  yield* checkName(target, place, context.settingsOf(place.host));
  const stop = new AbortController();
  const all = steps(place, benchOf(context, options, stop.signal), options.writeCheck ?? false);
  try {
    let last: Diagnosis | undefined;
    for (const step of all) {
      for (const told of (await step).told) {
        // Several steps of one check may be skipped for the same reason.
        if (told.check !== last?.check || told.message !== last.message) yield told;
        last = told;
      }
    }
  } finally {
    stop.abort();
    // An upload that was opened is cancelled before this ends.
    await Promise.allSettled(all);
  }
}

function benchOf(context: DoctorContext, options: DiagnoseOptions, stop: AbortSignal): Bench {
  const { timeout = 10_000, signal, clock = systemClock, lookup = systemLookup, connect = systemConnect } = options;
  const { hostsFile = "/etc/hosts" } = options;
  const either = signal ? AbortSignal.any([signal, stop]) : stop;
  return { ...context, clock, lookup, connect, hostsFile, timeout, signal: either };
}

/** All checks, under way as soon as what they build on is known, in the order they are told in. */
function steps(place: Place, bench: Bench, writing: boolean): readonly Promise<Step<unknown>>[] {
  const { run, after } = runner(place, bench);
  const proxy = run("proxy", async (bench) => checkProxy(place, bench));
  const dns = after("dns", proxy, (route, bench) => checkDns(place, route, bench));
  const tcp = after("tcp", dns, (target, bench) => checkTcp(place, target, bench));
  const tls = after("tls", tcp, (reached, bench) => checkTls(place, reached, bench));
  const api = after("api", tls, (spoken, bench) => checkApi(place, spoken, bench));
  const clock = after("clock", api, async ({ answer }) => ({ told: [checkClock(place, answer)] }));
  const credential = run("credential", (bench) => checkCredential(place, bench));
  const both = join(api, credential);
  const login = after("login", both, ([api, chosen], bench) => checkLogin(place, api, chosen, bench));
  const pull = after("pull", login, (login, bench) => checkPull(place, login, bench));
  const push: Promise<Step<Written>> = writing
    ? after("push", login, (login, bench) => checkWrite(place, login, bench), "by itself")
    : after("push", login, async (login, bench) => ({ told: [await checkPush(place, login, bench)] }));
  const limit = after("limit", pull, async ({ answer }) => ({ told: [checkLimit(place, answer, bench.clock.now())] }));
  const read = after("abilities", pull, (pulled, bench) => readAbilities(place, pulled, bench));
  const written = writing
    ? after("abilities", join(pull, push), ([pulled, { chunks }], bench) =>
        writeAbilities(place, pulled, chunks, bench),
      )
    : after("abilities", pull, async () => ({ told: unprobed(place) }));
  return [proxy, dns, tcp, tls, api, clock, credential, login, pull, push, limit, read, written];
}

/** Two steps as one, which is blocked by the first of them that is. */
async function join<A, B>(first: Promise<Step<A>>, second: Promise<Step<B>>): Promise<Step<readonly [A, B]>> {
  const [a, b] = await Promise.all([first, second]);
  if (a.known === undefined || b.known === undefined)
    return { told: [], blockedBy: a.known === undefined ? a.blockedBy : b.blockedBy };
  return { told: [], known: [a.known, b.known] };
}
