import { hash, randomBytes } from "node:crypto";
import type { Compare } from "./bcrypt.ts";
import { loginLimit } from "./failures.ts";
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
 * Checks against htpasswd entries. What was right or wrong is remembered under a hash with a key of this process until
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
  const secret = randomBytes(32).toString("hex");
  const right = recent<true>(10_000);
  const wrong = recent<true>(10_000);
  const flights = new Map<string, Promise<Login>>();
  const limit = loginLimit(now);

  const compareOnce = async (key: string, user: string, password: string, stored: string): Promise<Login> => {
    const same = await compare(password, stored);
    if (!same) wrong.set(key, true);
    if (!same || entries().get(user) !== stored) return refused;
    right.set(key, true);
    return { ok: true, user, hash: stored };
  };

  const limited = (user: string, client: string, start: () => Promise<Login>): Login | Promise<Login> => {
    const wait = flights.size >= mostPending ? 10 : limit.take(user, client);
    if (wait > 0) return { ok: false, wait };
    return start().then((login) => {
      if (login.ok) limit.giveBack(user, client);
      return login;
    });
  };

  return (user, password, client) => {
    if (!isUserName(user) || password.length > longestPassword) return refused;
    const users = entries();
    const own = users.get(user);
    const stored = own ?? decoy(users);
    const key = keyed(secret, `${user}\0${stored}\0${password}`);
    if (own !== undefined && right.get(key)) return { ok: true, user, hash: own };
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

/** A hash nested as HMAC nests it, one-shot: Node's own HMAC takes 15 microseconds, which is half of a request. */
function keyed(secret: string, text: string): string {
  return hash("sha256", secret + hash("sha256", secret + text, "base64"), "base64");
}

/** A hash of nobody's password, as costly as the file's costliest. */
function decoy(users: Entries): string {
  let cost = 0;
  for (const each of users.values()) cost = Math.max(cost, costOf(each));
  return `$2b$${String(cost === 0 ? 10 : cost).padStart(2, "0")}$${".".repeat(53)}`;
}
