import { RegistryError } from "../../oci/error.ts";
import { formatLocation, parseLocation, type Location } from "../../oci/location.ts";
import { familiarReference, formatReference, isDigestTag, isTag } from "../../oci/reference.ts";
import type { Digest } from "../../oci/digest.ts";
import { maskUserinfo } from "../../oci/userinfo.ts";

/** One repository or local place that images are read from, and what of it its destinations are named after. */
export interface Origin {
  /** `registry.example/app`, `oci:DIR`. */
  readonly place: string;
  /** Undefined for a local place. */
  readonly registry?: string;
  /** Of a local place, its last part. */
  readonly repository: string;
}

/**
 * A place an image goes to: `at` is `place` with the tag, or with the digest where it gets no tag; a `dir:` is one image, and
 * both.
 */
export interface Target {
  readonly place: string;
  readonly tag?: string;
  readonly at: string;
}

/** A destination with `{registry}`, `{repository}`, `{name}` and `{tag}` in it. */
export interface Template {
  readonly text: string;
  readonly uses: ReadonlySet<Placeholder>;
  /** Whether it is a local place, in no registry. */
  readonly isLocal: boolean;
  /** Throws INVALID where the names of this source make no place. */
  target(from: Origin, image: { readonly tag?: string; readonly digest: Digest }): Target;
}

const placeholders = ["registry", "repository", "name", "tag"] as const;
export type Placeholder = (typeof placeholders)[number];

/** Reads a destination. Throws INVALID with what is wrong in it. */
export function parseTemplate(text: string): Template {
  const uses = new Set<Placeholder>();
  for (const [whole, name = ""] of text.matchAll(/\{([^}]*)\}?/g)) {
    if (!placeholders.includes(name as Placeholder) || !whole.endsWith("}")) {
      throw new RegistryError("INVALID", `${JSON.stringify(maskUserinfo(text))}: ${whole} stands for nothing`, {
        hint: `there are ${placeholders.map((one) => `{${one}}`).join(", ")}`,
      });
    }
    uses.add(name as Placeholder);
  }
  // Most images of a repository go to one place.
  let last: { readonly text: string; readonly location: Location } | undefined;
  const fill = ({ registry, repository }: Origin, tag = "latest"): Location => {
    if (last && uses.size === 0) return last.location;
    const filled = text.replace(/\{(\w+)\}/g, (_, name: Placeholder) => {
      if (name === "registry") return (registry ?? "local").toLowerCase().replaceAll(":", "-");
      if (name === "repository") return repository;
      return name === "tag" ? tag : repository.slice(repository.lastIndexOf("/") + 1);
    });
    if (last?.text !== filled) last = { text: filled, location: parseLocation(filled) };
    return last.location;
  };
  const sample = fill({ place: "", registry: "registry", repository: "repository" });
  if (sample.transport === "registry" && sample.reference.digest) {
    throw new RegistryError("INVALID", `${JSON.stringify(text)}: what is copied has its own digest`);
  }
  return {
    text,
    uses,
    isLocal: sample.transport !== "registry",
    target(from, { tag, digest }) {
      const own = tag === undefined ? undefined : tagIn(tag);
      const location = fill(from, own);
      if (location.transport !== "registry") {
        const { transport, path } = location;
        const place = `${transport}:${path}`;
        if (transport === "dir") return { place, at: place };
        const name = tag ?? "latest";
        const ref = location.ref ?? (transport === "docker-archive" ? dockerName(from, name) : name);
        return { place, tag: ref, at: formatLocation({ transport, path, ref }) };
      }
      const { registry, repository } = location.reference;
      const named = uses.has("tag") && tag === undefined ? undefined : (location.reference.tag ?? own);
      if (named !== undefined && !isTag(named))
        throw new RegistryError("INVALID", `${JSON.stringify(named)} can be no tag in a registry`);
      const reference = { registry, repository, ...(named === undefined ? { digest } : { tag: named }) };
      return {
        place: formatReference({ registry, repository }),
        at: formatReference(reference),
        ...(named !== undefined && { tag: named }),
      };
    },
  };
}

/** The tag at the end of a whole name, as archives have them. */
function tagIn(name: string): string {
  return isTag(name) ? name : name.slice(name.lastIndexOf(":") + 1);
}

/** What `docker load` will call an image: repository and tag. */
function dockerName({ registry, repository }: Origin, tag: string): string {
  if (registry !== undefined) return familiarReference({ registry, repository, tag });
  return tag.includes(":") || isDigestTag(tag) ? tag : `${repository}:${tag}`;
}
