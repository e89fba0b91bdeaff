import { createHmac, randomBytes } from "node:crypto";
import type { Compare } from "./bcrypt.ts";
import { failureLimit } from "./failures.ts";
import { costOf, isUserName, type Entries } from "./htpasswd.ts";
import { recent } from "./recent.ts";

/** What came of a user name and a password: `hash` is the entry they were right for. */
export type Login =
  | { readonly ok: true; readonly user: string; readonly hash: string }
  | {
      readonly ok: false;
      /** Seconds, where it was not even looked at for too many failures before. */ readonly wait?: number;
    };

/** Checks credentials; `client` is who sends them, for the count of failures. */
export type Passwords = (user: string, password: string, client: string) => Login | Promise<Login>;

const refused: Login = { ok: false };
/** Comparisons that may be under way or in line at once: about ten seconds of work at bcrypt's usual cost. */
const mostPending = 100;
/** No client sends more; bcrypt itself reads 72 bytes. */
const longestPassword = 1024;

/**
 * Checks against htpasswd entries. What was right or wrong is remembered under an HMAC with a key of this process until
 * the entry changes: each pays for bcrypt once, and a client that sends the same wrong password again and again gains
 * and loses nothing. The same credentials at the same time are compared once; a user that is not there costs what a
 * wrong password costs; failures are limited by client and user, and by client.
 */
export function passwords({
  entries,
  compare,
  now,
}: {
  readonly entries: () => Entries;
  readonly compare: Compare;
  readonly now: () => number;
}): Passwords {
  const secret = randomBytes(32);
  const right = recent<true>(10_000);
  const wrong = recent<true>(10_000);
  const flights = new Map<string, Promise<Login>>();
  const ofUser = failureLimit({ burst: 10, interval: 6000, now });
  const ofClient = failureLimit({ burst: 100, interval: 600, now });

  const compareOnce = async (key: string, user: string, password: string, stored: string): Promise<Login> => {
    const same = await compare(password, stored);
    if (!same) wrong.set(key, true);
    if (!same || entries().get(user) !== stored) return refused;
    right.set(key, true);
    return { ok: true, user, hash: stored };
  };

  const limited = (user: string, client: string, start: () => Promise<Login>): Login | Promise<Login> => {
    if (flights.size >= mostPending) return { ok: false, wait: 10 };
    const pair = `${client} ${user}`;
    const wait = ofUser.take(pair);
    if (wait > 0) return { ok: false, wait };
    const clientWait = ofClient.take(client);
    if (clientWait > 0) {
      ofUser.giveBack(pair);
      return { ok: false, wait: clientWait };
    }
    return start().then((login) => {
      if (login.ok) {
        ofUser.giveBack(pair);
        ofClient.giveBack(client);
      }
      return login;
    });
  };

  return (user, password, client) => {
    if (!isUserName(user) || password.length > longestPassword) return refused;
    const users = entries();
    const hash = users.get(user);
    const stored = hash ?? decoy(users);
    const key = createHmac("sha256", secret).update(`${user}\0${stored}\0${password}`).digest("base64");
    if (hash !== undefined && right.get(key)) return { ok: true, user, hash };
    if (wrong.get(key)) return refused;
    const flying = flights.get(key);
    if (flying) return flying;
    const flight = limited(user, client, () => compareOnce(key, user, password, stored));
    if (!(flight instanceof Promise)) return flight;
    flights.set(key, flight);
    const land = (): void => void flights.delete(key);
    flight.then(land, land);
    return flight;
  };
}

/** A hash of nobody's password, as costly as the file's costliest. */
function decoy(users: Entries): string {
  let cost = 0;
  for (const hash of users.values()) cost = Math.max(cost, costOf(hash));
  return `$2b$${String(cost === 0 ? 10 : cost).padStart(2, "0")}$${".".repeat(53)}`;
}
