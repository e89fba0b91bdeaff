import type { Descriptor } from "../oci/descriptor.ts";
import { hexOf, type Digest } from "../oci/digest.ts";
import { isAbsent, isRegistryError, RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isIndexType } from "../oci/media-types.ts";
import type { Source } from "../store/store.ts";
import { sided } from "./sides.ts";

/** Something that hangs on an image: a referrer, or what a `sha256-<hex>.<suffix>` tag names (Cosign's older scheme). */
export interface Attachment {
  readonly descriptor: Descriptor;
  /** Undefined where a referrers list names a manifest that is not there. */
  readonly manifest?: Manifest;
  readonly tag?: string;
}

/** A repository's tags, and those that name what is attached to a digest. */
export interface DigestTags {
  readonly all: ReadonlySet<string>;
  readonly bySubject: ReadonlyMap<Digest, readonly string[]>;
}

/** Cosign's suffixes, asked for one by one where a registry does not list tags. */
const knownSuffixes = ["sig", "att", "sbom"];
/** Attachments of attachments go deeper with no tool; a registry that never stops is stopped here. */
const depthLimit = 8;
const countLimit = 100_000;

/** Lists a repository's tags; undefined where the registry does not. */
export async function digestTags(from: Source, signal?: AbortSignal): Promise<DigestTags | undefined> {
  const all = new Set<string>();
  const bySubject = new Map<Digest, string[]>();
  try {
    for await (const tag of from.tags({ signal })) {
      all.add(tag);
      const hex = /^sha256-([0-9a-f]{64})\./.exec(tag)?.[1];
      if (hex) bySubject.set(`sha256:${hex}`, [...(bySubject.get(`sha256:${hex}`) ?? []), tag]);
    }
  } catch (error) {
    if (isAbsent(error) || isRegistryError(error, "UNSUPPORTED", "DENIED", "UNAUTHORIZED")) return undefined;
    throw error;
  }
  return { all, bySubject };
}

/** What hangs directly on one digest, read. */
export async function attachedTo(
  from: Source,
  subject: Digest,
  tags: DigestTags | undefined,
  signal?: AbortSignal,
): Promise<readonly Attachment[]> {
  const referrers: Promise<Attachment>[] = [];
  for await (const descriptor of from.referrers(subject, { signal, ...(tags && { knownTags: tags.all }) })) {
    referrers.push(
      from.manifest(descriptor.digest, { signal }).then((manifest) => ({ descriptor, ...(manifest && { manifest }) })),
    );
  }
  const named = tags
    ? (tags.bySubject.get(subject) ?? [])
    : knownSuffixes.map((suffix) => `sha256-${hexOf(subject)}.${suffix}`);
  const tagged = named.map(async (tag): Promise<Attachment | undefined> => {
    const manifest = await from.manifest(tag, { signal });
    return manifest && { descriptor: manifest.descriptor, manifest, tag };
  });
  return (await Promise.all([...referrers, ...tagged])).filter((one) => one !== undefined);
}

/** Finds what hangs on images of one repository, whose tags are listed once, when first needed. */
export interface Attachments {
  /**
   * All that hangs on `root` and on everything below it, level by level: what hangs on an attachment comes in the next
   * level. `manifest` reads what a descriptor points at. Throws MANIFEST_UNKNOWN where a listed one is not there.
   */
  of(
    root: Manifest,
    manifest: (descriptor: Descriptor) => Promise<Manifest>,
    signal?: AbortSignal,
  ): AsyncIterable<readonly (Attachment & { readonly manifest: Manifest })[]>;
}

export function attachments(from: Source): Attachments {
  let listed: Promise<DigestTags | undefined> | undefined;
  return {
    async *of(root, manifest, signal) {
      const tags = await (listed ??= sided("source", () => digestTags(from, signal)).catch((error: unknown) => {
        listed = undefined;
        throw error;
      }));
      const seen = new Set<Digest>();
      let level = await below([root], manifest, seen);
      for (let depth = 0; level.length > 0; depth++) {
        if (depth > depthLimit || seen.size > countLimit) {
          throw new RegistryError(
            "TOO_LARGE",
            `${from.name}: what is attached to ${root.descriptor.digest} never ends`,
            { side: "source" },
          );
        }
        const lists = level.map((digest) => sided("source", () => attachedTo(from, digest, tags, signal)));
        const fresh = (await Promise.all(lists))
          .flat()
          .map(present)
          .filter((one) => one.tag !== undefined || !seen.has(one.descriptor.digest));
        if (fresh.length > 0) yield fresh;
        level = await below(
          fresh.map((one) => one.manifest),
          manifest,
          seen,
        );
      }
    },
  };

  function present(one: Attachment): Attachment & { manifest: Manifest } {
    if (one.manifest) return { ...one, manifest: one.manifest };
    throw new RegistryError(
      "MANIFEST_UNKNOWN",
      `${from.name} lists the referrer ${one.descriptor.digest}, but does not have it`,
      {
        side: "source",
        hint: "copy without what is attached: --no-referrers",
      },
    );
  }
}

/** The digests of manifests and of everything below them that are not in `seen` yet; only indexes have to be read. */
async function below(
  roots: readonly Manifest[],
  manifest: (descriptor: Descriptor) => Promise<Manifest>,
  seen: Set<Digest>,
): Promise<Digest[]> {
  const fresh: Digest[] = [];
  const add = (digest: Digest): boolean => {
    if (seen.has(digest)) return false;
    seen.add(digest);
    fresh.push(digest);
    return true;
  };
  const visit = async (one: Manifest): Promise<void> => {
    add(one.descriptor.digest);
    for (const child of one.manifests) {
      if (add(child.digest) && isIndexType(child.mediaType)) await visit(await manifest(child));
    }
  };
  for (const root of roots) await visit(root);
  return fresh;
}
