import { isObject } from "../oci/descriptor.ts";
import type { Secret } from "./secret.ts";
import type { Scopes } from "./scopes.ts";

/** What a token says of itself. */
export interface TokenClaims {
  /** What it lets one do. */
  readonly access?: Scopes;
  /** When it expires, in milliseconds since 1970. */
  readonly expiresAt?: number;
}

/**
 * Reads the claims of a token that is a JWT (distribution, "Token Authentication Implementation": `access` and `exp`);
 * another token says nothing. Nobody here vouches for them: the signature is the registry's to check.
 */
export function tokenClaims(token: Secret): TokenClaims {
  const value = parsePayload(token.reveal());
  const { access, exp } = isObject(value) ? value : {};
  return {
    ...(Array.isArray(access) && { access: scopesOfAccess(access) }),
    ...(typeof exp === "number" && Number.isFinite(exp) && { expiresAt: exp * 1000 }),
  };
}

function parsePayload(text: string): unknown {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(text) ?? [];
  if (payload === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function scopesOfAccess(access: readonly unknown[]): Scopes {
  const scopes = new Map<string, Set<string>>();
  for (const item of access) {
    if (!isObject(item) || !Array.isArray(item["actions"])) continue;
    const resource = `${String(item["type"])}:${String(item["name"])}`;
    const actions = item["actions"].filter((action) => typeof action === "string");
    scopes.set(resource, new Set([...(scopes.get(resource) ?? []), ...actions]));
  }
  return scopes;
}
