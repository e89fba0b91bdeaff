import { isRepository } from "../../oci/reference.ts";
import type { Action, Verb } from "../access.ts";
import type { Policy, RepositoryVerb } from "./policy.ts";

/** What a token is good for: verbs by repository; the catalog is under the empty name. */
export type Rights = ReadonlyMap<string, readonly Verb[]>;

/** One entry of a token's `access` claim (distribution, "Token Authentication Specification"). */
export interface AccessClaim {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const catalog = "";
/** A push that mounts names a handful; a token must still fit into a request's headers. */
const mostScopes = 50;
const verbs: readonly RepositoryVerb[] = ["pull", "push", "delete"];

/**
 * Reads scopes, each text one or several between spaces: `repository:NAME:pull,push,delete,*` and `registry:catalog:*`.
 * What is malformed, unknown or a pattern asks for nothing, and is left out.
 */
export function parseScopes(texts: readonly string[]): Rights {
  const rights = new Map<string, readonly Verb[]>();
  for (const text of texts.flatMap((text) => text.split(" ")).slice(0, mostScopes)) {
    if (text === "registry:catalog:*") {
      rights.set(catalog, ["catalog"]);
      continue;
    }
    const [, name = "", actions = ""] = /^repository(?:\(plugin\))?:([^:]+):([a-z*,]+)$/.exec(text) ?? [];
    if (!isRepository(name)) continue;
    const asked = asVerbs(actions.split(","));
    if (asked.length > 0) rights.set(name, merged(rights.get(name) ?? [], asked));
  }
  return rights;
}

/** What somebody gets of what they ask: all that is allowed, and never an error. Who may push may pull as well. */
export function granted(asked: Rights, { may, seesCatalog }: Policy, user: string | undefined): Rights {
  const rights = new Map<string, readonly Verb[]>();
  for (const [name, wanted] of asked) {
    const allowed: readonly Verb[] = name === catalog ? (seesCatalog(user) ? ["catalog"] : []) : may(user, name);
    const got = merged(wanted, wanted.includes("push") ? ["pull"] : []).filter((verb) => allowed.includes(verb));
    if (got.length > 0) rights.set(name, got);
  }
  return rights;
}

/** Whether a token is good for a verb; `repository` is absent for the catalog. */
export function covers(rights: Rights, repository: string | undefined, verb: Verb): boolean {
  return rights.get(repository ?? catalog)?.includes(verb) ?? false;
}

/** Writes the scope that a token needs for an action, as a challenge carries it; the ping needs none. */
export function scopeOf({ repository, verbs, mountFrom }: Action): string | undefined {
  if (verbs.includes("catalog")) return "registry:catalog:*";
  if (repository === undefined || verbs.length === 0 || !isRepository(repository)) return undefined;
  const scope = `repository:${repository}:${merged(["pull"], verbs).join(",")}`;
  const mounts = mountFrom !== undefined && mountFrom !== repository && isRepository(mountFrom);
  return mounts ? `${scope} repository:${mountFrom}:pull` : scope;
}

/** Writes rights as the scopes that ask for them. */
export function formatScopes(rights: Rights): string {
  return toClaims(rights)
    .map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`)
    .join(" ");
}

/** Writes rights as a token carries them. */
export function toClaims(rights: Rights): readonly AccessClaim[] {
  return Array.from(rights, ([name, verbs]) =>
    name === catalog
      ? { type: "registry", name: "catalog", actions: ["*"] }
      : { type: "repository", name, actions: verbs },
  );
}

/** Reads rights from a token of ours. */
export function fromClaims(claims: readonly AccessClaim[]): Rights {
  return parseScopes(claims.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`));
}

function asVerbs(actions: readonly string[]): readonly RepositoryVerb[] {
  return actions.includes("*") ? verbs : verbs.filter((verb) => actions.includes(verb));
}

function merged(some: readonly Verb[], more: readonly Verb[]): readonly Verb[] {
  return [...new Set([...some, ...more])];
}
