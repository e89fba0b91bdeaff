import { inspect } from "node:util";
import { expect } from "vitest";
import { authenticate } from "../../src/auth/authenticate.ts";
import { firstOf } from "../../src/auth/credential.ts";
import { fixedSource, parseUserPassword } from "../../src/auth/flags.ts";
import { Secret } from "../../src/auth/secret.ts";
import { isRegistryError } from "../../src/oci/error.ts";
import { collect } from "../../src/oci/stream.ts";
import { limit } from "../../src/transport/limit.ts";
import { observe } from "../../src/transport/observe.ts";
import { redirect } from "../../src/transport/redirect.ts";
import { retry } from "../../src/transport/retry.ts";
import { scheme } from "../../src/transport/scheme.ts";
import { compose, type Req, type Res, type Transport } from "../../src/transport/transport.ts";
import { instantClock } from "../support/instant-clock.ts";
import { recorder } from "../transport/support.ts";

/** The registry that has the login. */
export const home = "registry.example";
const password = "pass-of-registry";
const identity = "identity-of-registry";
/** The password for another registry. */
export const foreign = "pass-of-other";
/** The token that is issued for the registry. */
export const issued = "token-for-registry";
export const basic = (user: string, secret: string): string => Buffer.from(`${user}:${secret}`).toString("base64");
/** All that must not go astray. */
export const proofs: readonly string[] = [
  password,
  identity,
  foreign,
  issued,
  basic("ann", password),
  basic("<token>", identity),
  basic("bob", foreign),
];

/** What left for a host. */
export interface Sent {
  readonly origin: string;
  readonly method: string;
  /** Everything that left, but the URL's host. */
  readonly text: string;
}

/** The whole stack over a network where `answer` speaks for every host, and all that was sent to each. */
export async function attack(
  answer: (request: Req) => Res,
  act: Req | ((transport: Transport) => Promise<unknown>),
  kind: "basic" | "identity",
  isInsecure?: (host: string) => boolean,
): Promise<{ sent: readonly Sent[]; shown: string }> {
  const sent: Sent[] = [];
  const network: Transport = async (request) => {
    const body = request.body ? Buffer.from(await collect(await request.body.open(), 10_000)).toString() : "";
    const { origin, pathname, search } = request.url;
    sent.push({
      origin,
      method: request.method,
      text: `${pathname}${search} ${JSON.stringify(request.headers)} ${body}`,
    });
    return answer(request);
  };
  const { events, onEvent } = recorder();
  const clock = instantClock();
  const mine = kind === "basic" ? parseUserPassword(`ann:${password}`, "x") : { kind, token: new Secret(identity) };
  const credentials = firstOf(
    fixedSource("mine", mine, home),
    fixedSource("other", parseUserPassword(`bob:${foreign}`, "x"), "other.example"),
  );
  const waived = isInsecure && { isInsecure };
  const transport = compose(
    network,
    retry({ clock, onEvent, attempts: 2 }),
    redirect(waived),
    authenticate({ credentials, clock, ...waived }),
    limit({ clock, onEvent }),
    scheme(waived),
    observe({ clock, onEvent }),
  );
  const work = typeof act === "function" ? act(transport) : transport(act);
  const outcome = await work.catch((error: unknown) => error);
  if (outcome instanceof Error) expect(isRegistryError(outcome), inspect(outcome)).toBe(true);
  return {
    sent,
    shown: `${inspect(outcome, { depth: 9 })} ${JSON.stringify(events)} ${inspect(credentials, { depth: 9 })}`,
  };
}

/** The origins to which something went that proves who we are. */
export const carrying = (sent: readonly Sent[]): readonly string[] =>
  sent.filter(({ text }) => proofs.some((proof) => text.includes(proof))).map(({ origin }) => origin);
