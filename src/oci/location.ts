import { RegistryError } from "./error.ts";
import { isDigest } from "./digest.ts";
import { formatReference, parseReference, type Reference } from "./reference.ts";

/** Where an image is: a repository in a registry, or a file or directory of one of the local formats. */
export type Location =
  | { readonly transport: "registry"; readonly reference: Reference }
  | {
      readonly transport: LocalTransport;
      /** The file or directory; `-` is standard input or output, for archives. */
      readonly path: string;
      /** The name in it: a tag, a digest, a Docker reference in a docker-archive (or `@N`, the image at that place). */
      readonly ref?: string;
    };

const localTransports = ["oci", "oci-archive", "docker-archive", "dir"] as const;
export type LocalTransport = (typeof localTransports)[number];

/**
 * Reads what a user types: a reference, `docker://reference`, `oci:PATH[:TAG|@DIGEST]` (also `ocidir://`),
 * `oci-archive:PATH[:TAG]`, `docker-archive:PATH[:REFERENCE|:@N]` or `dir:PATH`. Throws INVALID.
 */
export function parseLocation(text: string): Location {
  const registry = /^docker:\/\//.exec(text);
  if (registry) return { transport: "registry", reference: parseReference(text.slice(registry[0].length)) };
  const local = /^(ocidir:\/\/|oci-archive:|docker-archive:|oci:|dir:)/.exec(text);
  if (!local) {
    rejectOtherTransports(text);
    return { transport: "registry", reference: parseReference(text) };
  }
  const transport = local[0] === "ocidir://" ? "oci" : (local[0].slice(0, -1) as LocalTransport);
  const rest = text.slice(local[0].length);
  if (transport === "dir") return { transport, path: checkPath(text, rest) };
  const digestAt = rest.lastIndexOf("@");
  if (digestAt > 0 && isDigest(rest.slice(digestAt + 1))) {
    return { transport, path: checkPath(text, rest.slice(0, digestAt)), ref: rest.slice(digestAt + 1) };
  }
  const windowsDrive = /^[A-Za-z]:[\\/]/.test(rest) ? 2 : 0;
  const colon = rest.indexOf(":", windowsDrive);
  if (colon < 0) return { transport, path: checkPath(text, rest) };
  const ref = rest.slice(colon + 1);
  if (ref === "") throw new RegistryError("INVALID", `invalid location ${JSON.stringify(text)}: nothing follows the last colon`);
  return { transport, path: checkPath(text, rest.slice(0, colon)), ref };
}

/** Writes a location as a user would type it. */
export function formatLocation(location: Location): string {
  if (location.transport === "registry") return formatReference(location.reference);
  const { transport, path, ref } = location;
  if (ref === undefined) return `${transport}:${path}`;
  return `${transport}:${path}${isDigest(ref) ? "@" : ":"}${ref}`;
}

function checkPath(text: string, path: string): string {
  if (path === "") throw new RegistryError("INVALID", `invalid location ${JSON.stringify(text)}: it names no path`);
  return path;
}

function rejectOtherTransports(text: string): void {
  const other = /^([a-z][a-z0-9-]*):\/\/|^(docker-daemon|containers-storage|podman|sif|tarball|atomic|ostree):/.exec(text);
  if (!other) return;
  throw new RegistryError("INVALID", `invalid location ${JSON.stringify(text)}: ${JSON.stringify(other[1] ?? other[2])} is no transport of Gantry`, {
    hint: `write a reference, docker://REFERENCE, or ${localTransports.map((name) => `${name}:PATH`).join(", ")}`,
  });
}
