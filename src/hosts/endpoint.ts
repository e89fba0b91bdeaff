import { RegistryError } from "../oci/error.ts";
import { apiHost, parseReference, type Reference } from "../oci/reference.ts";

/** A place to pull an image from. */
export interface Endpoint {
  /** Where its API answers, up to what a repository's name follows: `https://mirror.example/v2/`. */
  readonly base: URL;
  readonly repository: string;
  /** The registry that a mirror of many is asked about (`?ns=`). */
  readonly namespace?: string;
  /** Where it is written that it is one: a file and the place in it, a setting. Absent: it is where the name says. */
  readonly origin?: string;
}

/** What is pulled: manifests by digest or by tag, or a blob. */
export interface Pull {
  /** The registry's `host[:port]`, as references name it. */
  readonly registry: string;
  readonly repository: string;
  readonly by: "digest" | "tag";
}

/** The endpoint that a name (`host[:port]/repository`) stands for; a name without a host stands for none. Throws INVALID. */
export function endpointOf(name: string, origin: string): Endpoint {
  const reference = isQualified(name) ? parsed(name) : undefined;
  if (reference && reference.tag === undefined && !reference.digest) return { ...literalEndpoint(reference), origin };
  throw new RegistryError("INVALID", `${origin}: ${JSON.stringify(name)} is no repository of a host`, {
    hint: "a host has a dot or a port in it, or is localhost",
  });
}

/** The endpoint at the very host that a reference names. */
export function literalEndpoint({ registry, repository }: Pick<Reference, "registry" | "repository">): Endpoint {
  return { base: new URL(`https://${apiHost(registry)}/v2/`), repository };
}

/** What has no host in it would else be read as Docker Hub's. */
function isQualified(name: string): boolean {
  return /^(?:localhost|[^/]*[.:][^/]*)\//i.test(name);
}

function parsed(name: string): Reference | undefined {
  try {
    return parseReference(name);
  } catch {
    return undefined;
  }
}

/** The URL of a manifest or blob at an endpoint: `path` is what follows the repository's name. */
export function urlAt({ base, repository, namespace }: Endpoint, path: string): URL {
  const url = new URL(`${base.pathname}${repository}/${path}`, base);
  if (namespace !== undefined) url.searchParams.set("ns", namespace);
  return url;
}
