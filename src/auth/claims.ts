import { isObject } from "../oci/descriptor.ts";
import type { Credential } from "./credential.ts";
import { parseScopes, type Scopes } from "./scopes.ts";
import type { Secret } from "./secret.ts";

/** What a token says of itself, where it is a JSON Web Token (RFC 7519); nothing of it is checked, nothing is secret. */
export interface Claims {
  /** The account; empty for nobody. */
  readonly subject?: string;
  /** What it lets its bearer do (distribution, "Token Authentication Implementation"); absent where it does not say. */
  readonly access?: Scopes;
  /** Milliseconds since 1970. */
  readonly notBefore?: number;
  readonly expires?: number;
}

/** Reads the claims of a token; undefined where it is none that can be read. */
export function claimsOf(token: Secret): Claims | undefined {
  const payload = parsePayload(token.reveal());
  if (!payload) return undefined;
  const { sub, access, scope } = payload;
  const granted = accessOf(access) ?? (typeof scope === "string" ? parseScopes(scope) : undefined);
  return {
    ...(typeof sub === "string" && { subject: sub }),
    ...(granted && { access: granted }),
    ...timeOf("notBefore", payload["nbf"]),
    ...timeOf("expires", payload["exp"]),
  };
}

/** When what a credential holds expires, where that is a token that says so. */
export function expiryOf(credential: Credential): number | undefined {
  return claimsOf(credential.kind === "basic" ? credential.password : credential.token)?.expires;
}

function parsePayload(text: string): Record<string, unknown> | undefined {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(text) ?? [];
  if (payload === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(name: string, seconds: unknown): object {
  return typeof seconds === "number" && Number.isFinite(seconds) ? { [name]: seconds * 1000 } : {};
}

function accessOf(value: unknown): Scopes | undefined {
  // A service written in Go has null for an empty list.
  if (value === null) return new Map();
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter(isObject).map(({ type, name, actions }) => {
    if (typeof type !== "string" || typeof name !== "string" || !Array.isArray(actions)) return "";
    return `${type}:${name}:${actions.filter((action) => typeof action === "string").join(",")}`;
  });
  return parseScopes(texts.join(" "));
}
