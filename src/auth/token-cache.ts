import { covers, keyOf, type Scopes } from "./scopes.ts";
import type { Token } from "./token.ts";

/** The tokens of one host. */
export interface TokenCache {
  /** A token for the scopes: one that is there and not about to expire, or what `fetch` brings, once for all who ask. */
  obtain(scopes: Scopes, now: number, fetch: () => Promise<Token>): Promise<Token>;
  drop(token: Token): void;
}

/** Tokens are forgotten, oldest first, beyond so many. */
const capacity = 1000;

export function tokenCache(): TokenCache {
  let tokens: Token[] = [];
  const pending = new Map<string, Promise<Token>>();
  const find = (scopes: Scopes, now: number): Token | undefined => {
    const live = tokens.filter((token) => token.renewAt > now);
    const pushing =
      scopes.size === 0
        ? live.find((token) => [...token.scopes.values()].some((actions) => actions.has("push")))
        : undefined;
    return pushing ?? live.find((token) => covers(token.scopes, scopes));
  };
  const fetchOnce = async (key: string, now: number, fetch: () => Promise<Token>): Promise<Token> => {
    try {
      const token = await fetch();
      tokens = [token, ...tokens.filter((old) => old.renewAt > now && keyOf(old.scopes) !== key)].slice(0, capacity);
      return token;
    } finally {
      pending.delete(key);
    }
  };
  return {
    async obtain(scopes, now, fetch) {
      const found = find(scopes, now);
      if (found) return found;
      const key = keyOf(scopes);
      const fetching = pending.get(key) ?? fetchOnce(key, now, fetch);
      pending.set(key, fetching);
      return fetching;
    },
    drop(token) {
      tokens = tokens.filter((other) => other !== token);
    },
  };
}
