import type { Req } from "../transport/transport.ts";

/** Access to resources (`repository:app`, `registry:catalog`): the actions by resource (distribution, "Token Scope"). */
export type Scopes = ReadonlyMap<string, ReadonlySet<string>>;

/** A path may come before `/v2/`; what comes after its first is the repository. */
const resourcePath = /^(?:\/.+?)??\/v2\/(.+)\/(?:(manifests|tags|referrers|blobs)\/[^/]+|blobs\/(uploads)\/.*)$/;

/** The repository that a request is about; empty where it is about none. */
export function repositoryOf(url: URL): string {
  return resourcePath.exec(url.pathname)?.[1] ?? "";
}

/** The access a request needs: as it says itself, else by the distribution API from its method, its path and, for a mount, where it mounts from. */
export function scopesOf({ method, url, scopes: said }: Pick<Req, "method" | "url" | "scopes">): Scopes {
  if (said !== undefined) return parseScopes(said);
  if (url.pathname === "/v2/_catalog") return new Map([["registry:catalog", new Set("*")]]);
  const repository = repositoryOf(url);
  if (repository === "") return new Map();
  const isUpload = url.pathname.includes("/blobs/uploads/");
  const scopes = new Map([[`repository:${repository}`, actionsOf(method, isUpload)]]);
  const from = url.searchParams.get("from");
  if (isUpload && url.searchParams.has("mount") && from && from !== repository) {
    scopes.set(`repository:${from}`, new Set(["pull"]));
  }
  return scopes;
}

function actionsOf(method: Req["method"], isUpload: boolean): Set<string> {
  if (method === "GET" && !isUpload) return new Set(["pull"]);
  if (method === "HEAD") return new Set(["pull"]);
  return method === "DELETE" && !isUpload ? new Set(["delete"]) : new Set(["pull", "push"]);
}

/** The repository that a request is about, by its path or by the access that it says it needs; empty where it is about none. */
export function subjectOf(request: Pick<Req, "url" | "scopes">): string {
  const [resource = ""] = parseScopes(request.scopes).keys();
  return repositoryOf(request.url) || (/^repository:(.+)$/.exec(resource)?.[1] ?? "");
}

/** Reads a scope parameter: scopes apart by spaces, in each the actions after the last colon; what is malformed is left out. */
export function parseScopes(text: string | undefined): Scopes {
  const scopes = new Map<string, Set<string>>();
  for (const scope of (text ?? "").split(" ")) {
    const colon = scope.lastIndexOf(":");
    const actions = scope
      .slice(colon + 1)
      .split(",")
      .filter((action) => action !== "");
    if (colon < 1 || actions.length === 0) continue;
    const resource = scope.slice(0, colon);
    scopes.set(resource, new Set([...(scopes.get(resource) ?? []), ...actions]));
  }
  return scopes;
}

/** Writes scopes for a token request, in the order they were asked for. */
export function formatScopes(scopes: Scopes): readonly string[] {
  return [...scopes].map(([resource, actions]) => `${resource}:${[...actions].sort().join(",")}`);
}

/** One text for equal scopes. */
export function keyOf(scopes: Scopes): string {
  return [...formatScopes(scopes)].sort().join(" ");
}

/** Whether who has `granted` may do all of `wanted`. */
export function covers(granted: Scopes, wanted: Scopes): boolean {
  return [...wanted].every(([resource, actions]) => {
    const have = granted.get(resource);
    return have !== undefined && (have.has("*") || [...actions].every((action) => have.has(action)));
  });
}

/** What is in either. */
export function union(a: Scopes, b: Scopes): Scopes {
  const both = new Map(a);
  for (const [resource, actions] of b) both.set(resource, new Set([...(both.get(resource) ?? []), ...actions]));
  return both;
}
