import type { Clock } from "../transport/clock.ts";
import { expiryOf } from "./claims.ts";
import type { Credential, CredentialSource } from "./credential.ts";
import { until } from "./until.ts";

/** When a credential runs out, in milliseconds since 1970; Infinity where neither its source nor it itself says so. */
export function endOf(credential: Credential | undefined): number {
  return (credential && (credential.expires ?? expiryOf(credential))) ?? Infinity;
}

/** Asks a source once for each host and path, and again where it failed or what it had has run out. */
export function remembered(source: CredentialSource, clock: Clock): CredentialSource {
  const known = new Map<string, Promise<Credential | undefined>>();
  const ask = (host: string, path: string): Promise<Credential | undefined> => {
    const key = `${host}/${path}`;
    const found = source.find(host, path);
    known.set(key, found);
    found.catch(() => known.get(key) === found && known.delete(key));
    return found;
  };
  return {
    name: source.name,
    async find(host, path, signal) {
      const key = `${host}/${path}`;
      const before = known.get(key);
      const credential = await until(before ?? ask(host, path), signal);
      if (!before || endOf(credential) > clock.now()) return credential;
      // Of all that notice, the first asks anew.
      const renewed = known.get(key);
      return until(renewed && renewed !== before ? renewed : ask(host, path), signal);
    },
  };
}
