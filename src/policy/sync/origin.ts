import { RegistryError } from "../../oci/error.ts";
import { parseLocation } from "../../oci/location.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import { maskUserinfo } from "../../oci/userinfo.ts";
import { parsePattern, type Pattern } from "../pattern.ts";
import type { Origin } from "./template.ts";

/** What `from` names: all selected tags of one place, one image of it, or the repositories of a registry that fit a pattern. */
export type From =
  | { readonly kind: "place"; readonly origin: Origin; readonly ref?: string }
  | {
      readonly kind: "pattern";
      readonly registry: string;
      readonly repositories: Pattern;
      /** What all names that fit start with. */
      readonly prefix: string;
    };

/** Reads one source. Throws INVALID with what is wrong in it. */
export function parseFrom(text: string): From {
  const slash = text.indexOf("/");
  const pattern = /^(?:oci|dir|oci-archive|docker-archive|ocidir):/.test(text) ? "" : text.slice(slash + 1);
  if (/[*?[{]|^\/.*\/$/.test(pattern)) return repositoriesLike(text, text.slice(0, Math.max(0, slash)), pattern);
  const location = parseLocation(text);
  if (location.transport !== "registry") {
    const { transport, path, ref } = location;
    const name = path
      .replace(/\/+$/, "")
      .replace(/^.*\//, "")
      .replace(/\.\w+$/, "");
    const origin = { place: `${transport}:${path}`, repository: name.toLowerCase() };
    return { kind: "place", origin, ...(ref !== undefined && { ref }) };
  }
  const { registry, repository, tag, digest } = location.reference;
  const ref = digest ?? tag;
  const origin = { place: formatReference({ registry, repository }), registry, repository };
  return { kind: "place", origin, ...(ref !== undefined && { ref }) };
}

function repositoriesLike(text: string, host: string, pattern: string): From {
  if (!/[.:]/.test(host) && host !== "localhost") {
    throw new RegistryError(
      "INVALID",
      `${JSON.stringify(maskUserinfo(text))}: a pattern of repositories needs its registry`,
      {
        hint: "write HOST/PATTERN",
      },
    );
  }
  const { registry } = parseReference(`${host}/any/any`);
  const prefix = pattern.startsWith("/") ? "" : /^[^*?[{\\]*/.exec(pattern)![0];
  return { kind: "pattern", registry, repositories: parsePattern(pattern), prefix };
}
