import { withoutSecret, type Credential } from "../../auth/credential.ts";
import { Secret } from "../../auth/secret.ts";
import { until } from "../../auth/until.ts";
import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { messageIn } from "../api-error.ts";
import { jsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";

/** What Docker Hub's API sells tokens for: a user with a password or personal token, or an organisation with its token. */
export type HubLogin = Extract<Credential, { kind: "basic" }>;

/** The tokens of Docker Hub's API: bought once for each login, and again shortly before they end. */
export interface HubTokens {
  of(login: HubLogin, call?: Call): Promise<Secret>;
  /** Forgets a token that was refused, and says whether another may do better: not where it was just bought. */
  forget(login: HubLogin, token: string): boolean;
}

interface Bought {
  readonly token: Secret;
  readonly since: number;
  /** Until when it is used, in milliseconds since 1970. */
  readonly until: number;
}

const margin = 30_000;
/** How long a token is taken to be good, whatever the clocks say. */
const leastLife = 60_000;
const usualLife = 300_000;

export function hubTokens(
  { transport, clock, isInsecure }: Pick<ServiceContext, "transport" | "clock" | "isInsecure">,
  base: URL,
): HubTokens {
  const bought = new Map<string, Bought>();
  const buying = new Map<string, Promise<Secret>>();
  const keyOf = ({ username, password }: HubLogin): string => JSON.stringify([username, password.reveal()]);

  const buy = async (login: HubLogin): Promise<Secret> => {
    const api = jsonApi({
      transport,
      base,
      title: "Docker Hub",
      isInsecure,
      error: ({ status, body }) => {
        const message = messageIn(body);
        return { ...(message && { message: withoutSecret(message, login) }), ...(status === 401 && refusal(login)) };
      },
    });
    const { body } = await api.send("POST", "/v2/auth/token", {
      what: `log in to Docker Hub as ${login.username}`,
      body: { identifier: login.username, secret: login.password.reveal() },
      secrets: [login.password],
    });
    const token = isObject(body) ? body["access_token"] : undefined;
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
      throw new RegistryError("NETWORK", "Docker Hub answered a login with no token", { host: base.host });
    }
    const since = clock.now();
    const secret = new Secret(token);
    bought.set(keyOf(login), {
      token: secret,
      since,
      until: Math.max(endOf(token, since) - margin, since + leastLife),
    });
    return secret;
  };

  return {
    async of(login, { signal } = {}) {
      const key = keyOf(login);
      const known = bought.get(key);
      if (known && clock.now() < known.until) return known.token;
      // For all who ask: the first of them may give up.
      const under = buying.get(key) ?? buy(login).finally(() => buying.delete(key));
      buying.set(key, under);
      return until(under, signal);
    },
    forget(login, token) {
      const key = keyOf(login);
      const known = bought.get(key);
      if (known?.token.reveal() !== token) return true;
      return clock.now() - known.since >= leastLife && bought.delete(key);
    },
  };
}

/** When a token says that it ends (RFC 7519, `exp`), in milliseconds since 1970. */
function endOf(token: string, now: number): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    const end = isObject(claims) ? claims["exp"] : undefined;
    return typeof end === "number" && Number.isFinite(end) ? end * 1000 : now + usualLife;
  } catch {
    return now + usualLife;
  }
}

function refusal({ username, origin }: HubLogin): { readonly hint: string } {
  const from = origin ? ` (from ${origin})` : "";
  return {
    hint:
      `the login of ${username}${from} is not taken: with two-factor login or SSO use a personal access token; ` +
      "for an organisation's token the user is the organisation",
  };
}
