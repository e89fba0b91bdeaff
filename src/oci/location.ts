import { RegistryError } from "./error.ts";
import { digestFault, digestHint, isDigest } from "./digest.ts";
import { formatReference, parseReference, type Reference } from "./reference.ts";
import { maskUserinfo } from "./userinfo.ts";

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
 * `oci-archive:PATH[:TAG]`, `docker-archive:PATH[:REFERENCE|:@N]` or `dir:PATH`. A path ends at its first colon, but
 * for that of a Windows drive; that of `dir:` has no end. Throws INVALID.
 */
export function parseLocation(text: string): Location {
  const local = /^(?:ocidir:\/\/|(?:oci-archive|docker-archive|oci|dir):(?!\/\/))/.exec(text);
  if (!local) {
    rejectOtherTransports(text);
    return { transport: "registry", reference: parseReference(text.replace(/^docker:\/\//, "")) };
  }
  const transport = local[0] === "ocidir://" ? "oci" : (local[0].slice(0, -1) as LocalTransport);
  const rest = text.slice(local[0].length);
  if (transport === "dir") return { transport, path: checkPath(text, rest) };
  const { path, ref } = splitPath(text, rest);
  return { transport, path: checkPath(text, path), ...(ref !== undefined && { ref }) };
}

/** Writes a location as a user would type it. */
export function formatLocation(location: Location): string {
  if (location.transport === "registry") {
    const text = formatReference(location.reference);
    return transportForm.test(text) ? `docker://${text}` : text;
  }
  const { transport, path, ref } = location;
  if (ref === undefined) return `${transport}:${path}`;
  return `${transport}:${path}${isDigest(ref) ? "@" : ":"}${ref}`;
}

/** A registry's host with a port may read as a transport: `dir:5000/app`. */
const transportForm =
  /^(?:oci|ocidir|oci-archive|docker-archive|dir|docker-daemon|containers-storage|podman|sif|tarball|atomic|ostree):/;

function splitPath(text: string, rest: string): { readonly path: string; readonly ref?: string } {
  const windowsDrive = /^[A-Za-z]:[\\/]/.test(rest) ? 2 : 0;
  const at = rest.search(/@sha(?:256|512):/);
  if (at >= 0) {
    const [path, digest] = [rest.slice(0, at), rest.slice(at + 1)];
    if (path.includes(":", windowsDrive))
      throw invalid(text, "it has both a tag and a digest", "name the one or the other");
    if (!isDigest(digest)) throw invalid(text, digestFault(digest).what, digestHint);
    return { path, ref: digest };
  }
  const colon = rest.indexOf(":", windowsDrive);
  if (colon < 0) return { path: rest };
  const ref = rest.slice(colon + 1);
  if (ref === "") throw invalid(text, "nothing follows the last colon");
  return { path: rest.slice(0, colon), ref };
}

function checkPath(text: string, path: string): string {
  if (path === "") throw invalid(text, "it names no path");
  return path;
}

function rejectOtherTransports(text: string): void {
  if (/^(?:\.{0,2}|~)\//.test(text)) {
    const forms = localTransports.map((one) => `${one}:${text}`);
    throw invalid(text, "it is a path, and does not say what is there", `write one of: ${forms.join(", ")}`);
  }
  const scheme = /^([a-z][a-z0-9-]*):\/\//.exec(text)?.[1];
  if (scheme === "docker" || scheme === "http" || scheme === "https") return;
  const other = scheme ?? (transportForm.test(text) ? text.slice(0, text.indexOf(":")) : undefined);
  if (other === undefined) return;
  const name = scheme === undefined ? other : `${other}://`;
  const forms = ["docker://REFERENCE", ...localTransports.map((one) => `${one}:PATH`)];
  throw invalid(text, `${JSON.stringify(name)} is no transport of Gantry`, `write a reference, ${forms.join(", ")}`);
}

function invalid(text: string, what: string, hint?: string): RegistryError {
  const masked = maskUserinfo(text);
  const shown = JSON.stringify(masked.length > 300 ? `${masked.slice(0, 300)}...` : masked);
  return new RegistryError("INVALID", `invalid location ${shown}: ${what}`, hint === undefined ? {} : { hint });
}
