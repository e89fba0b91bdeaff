import { extensionName } from "../oci/extension.ts";
import { isRepository } from "../oci/reference.ts";

/** What a path of the API is about. */
export type Resource =
  | "ping"
  | "catalog"
  | "tags"
  | "blob"
  | "manifest"
  | "referrers"
  | "upload-start"
  | "upload"
  | "extensions"
  | "inventory";

export interface Route {
  /** `bad-name` where the path has the form of the API, but not the name of a repository. */
  readonly kind: Resource | "bad-name";
  /** The repository; empty for the ping, the catalog, and the extensions of the registry. */
  readonly name: string;
  /** Tag, digest or upload id, not checked yet; empty where the path has none. */
  readonly ref: string;
}

const kinds = { blobs: "blob", manifests: "manifest", referrers: "referrers" } as const;

/** Reads a request target; undefined where it is no path of the distribution API. */
export function parseRoute(target: string): Route | undefined {
  if (!target.startsWith("/v2")) return undefined;
  const query = target.indexOf("?");
  let end = query < 0 ? target.length : query;
  if (target[end - 1] === "/") end--;
  if (end === 3) return { kind: "ping", name: "", ref: "" };
  if (target[3] !== "/") return undefined;
  const refAt = target.lastIndexOf("/", end - 1);
  const ref = target.slice(refAt + 1, end);
  if (refAt === 3) return ref === "_catalog" ? { kind: "catalog", name: "", ref: "" } : undefined;
  const kindAt = target.lastIndexOf("/", refAt - 1);
  const kind = target.slice(kindAt + 1, refAt);
  if (Object.hasOwn(kinds, kind)) {
    if (kind === "blobs" && ref === "uploads") return named("upload-start", target, kindAt, "");
    return named(kinds[kind as keyof typeof kinds], target, kindAt, decoded(ref));
  }
  if (kind === "tags" && ref === "list") return named("tags", target, kindAt, "");
  if (kind === "uploads" && target.endsWith("/blobs", kindAt))
    return named("upload", target, kindAt - "/blobs".length, ref);
  return parseExtension(target, kindAt, kind, ref);
}

/** `_oci/ext/discover` (distribution-spec, "extensions/_oci.md"), and what is Gantry's own. */
function parseExtension(target: string, kindAt: number, kind: string, ref: string): Route | undefined {
  if (kind === "ext" && ref === "discover" && target.endsWith("/_oci", kindAt)) {
    const end = kindAt - "/_oci".length;
    return end === 3 ? { kind: "extensions", name: "", ref: "" } : named("extensions", target, end, "");
  }
  if (kind === "inventory" && ref === "manifests" && target.endsWith(`/${extensionName}`, kindAt))
    return named("inventory", target, kindAt - extensionName.length - 1, "");
  return undefined;
}

/** The query's parameters. */
export function queryOf(target: string): URLSearchParams {
  const query = target.indexOf("?");
  return new URLSearchParams(query < 0 ? "" : target.slice(query + 1));
}

/** A name is never decoded: what needs decoding is no repository name. */
function named(kind: Resource, target: string, end: number, ref: string): Route | undefined {
  if (end < 4) return undefined;
  const name = target.slice(4, end);
  return { kind: isRepository(name) ? kind : "bad-name", name, ref };
}

/** Some clients write a digest's colon as %3A. What cannot be decoded is left for the check of the reference to refuse. */
function decoded(ref: string): string {
  if (!ref.includes("%")) return ref;
  try {
    return decodeURIComponent(ref);
  } catch {
    return ref;
  }
}
