import type { Clock } from "../transport/clock.ts";
import { answers } from "./answers.ts";
import type { Credential } from "./credential.ts";
import { credentialHelper, type HelperOptions } from "./helper.ts";

/** Asks helpers for logins, each once a minute for all who want to know. */
export interface HelperLogins {
  /** The first login that a helper keeps under one of the names of a server; none is `undefined`. */
  find(
    helper: string,
    declaredIn: string,
    servers: readonly string[],
    signal?: AbortSignal,
  ): Promise<Credential | undefined>;
}

export interface HelperLoginsOptions extends HelperOptions {
  readonly clock?: Clock;
}

/** Logins from helpers, which are ended when nobody waits for them any more. */
export function helperLogins({ clock, ...options }: HelperLoginsOptions): HelperLogins {
  const known = answers<Credential | undefined>(clock);
  return {
    async find(helper, declaredIn, servers, signal) {
      for (const server of servers) {
        const credential = await known.ask(
          [helper, declaredIn, server].join("\n"),
          (stop) => credentialHelper(helper, declaredIn, options).get(server, stop),
          signal,
        );
        if (credential) return credential;
      }
      return undefined;
    },
  };
}
