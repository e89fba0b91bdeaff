import type { Descriptor } from "../oci/descriptor.ts";
import { algorithmOf, hexOf, type Digest } from "../oci/digest.ts";
import { isAbsent, isRegistryError, RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isIndexType } from "../oci/media-types.ts";
import type { Source } from "../store/store.ts";
import { checkNesting, type Outline } from "./nesting.ts";
import { sided } from "./sides.ts";
import { singleFlight } from "./single-flight.ts";

/** Something that hangs on an image: a referrer, or what a `sha256-<hex>.<suffix>` tag names (Cosign's older scheme). */
export interface Attachment {
  readonly descriptor: Descriptor;
  /** Undefined where a referrers list, or a tag, names a manifest that is not there. */
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
/** How many attachments may hang on one another; a registry that never stops is stopped here. */
export const attachmentLimit = 8;
const countLimit = 100_000;

/** Lists a repository's tags; undefined where the registry does not. */
export async function digestTags(from: Source, signal?: AbortSignal): Promise<DigestTags | undefined> {
  const all = new Set<string>();
  const bySubject = new Map<Digest, string[]>();
  try {
    for await (const tag of from.tags({ signal })) {
      all.add(tag);
      const hex = /^sha256-([0-9a-f]{64})\./.exec(tag)?.[1];
      if (hex === undefined) continue;
      const subject: Digest = `sha256:${hex}`;
      const known = bySubject.get(subject);
      if (known) known.push(tag);
      else bySubject.set(subject, [tag]);
    }
  } catch (error) {
    if (isAbsent(error) || isRegistryError(error, "UNSUPPORTED", "DENIED", "UNAUTHORIZED")) return undefined;
    throw error;
  }
  return { all, bySubject };
}

/** What hangs directly on one digest, each once, read. */
export async function attachedTo(
  from: Source,
  subject: Digest,
  tags: DigestTags | undefined,
  signal?: AbortSignal,
): Promise<readonly Attachment[]> {
  const listed = new Map<Digest, Descriptor>();
  for await (const descriptor of from.referrers(subject, { signal, ...(tags && { knownTags: tags.all }) })) {
    listed.set(descriptor.digest, descriptor);
    if (listed.size > countLimit) throw endless(from, subject);
  }
  const referrers = [...listed.values()].map(async (descriptor): Promise<Attachment> => {
    const manifest = await from.manifest(descriptor.digest, { signal });
    return { descriptor, ...(manifest && { manifest }) };
  });
  const named = tags ? (tags.bySubject.get(subject) ?? []) : knownTags(subject);
  const tagged = named.map(async (tag): Promise<Attachment | undefined> => {
    const manifest = await from.manifest(tag, { signal });
    if (manifest) return { descriptor: manifest.descriptor, manifest, tag };
    const descriptor = tags && (await from.head(tag, { signal }));
    return descriptor && { descriptor, tag };
  });
  return (await Promise.all([...referrers, ...tagged])).filter((one) => one !== undefined);
}

/** The tags to ask for where none are listed; that of a sha512 digest would be too long for a tag. */
function knownTags(subject: Digest): readonly string[] {
  if (algorithmOf(subject) !== "sha256") return [];
  return knownSuffixes.map((suffix) => `sha256-${hexOf(subject)}.${suffix}`);
}

/** A registry that lists referrers of referrers without an end. */
export function endless(from: Source, subject: Digest): RegistryError {
  return new RegistryError("TOO_LARGE", `${from.name}: what is attached to ${subject} never ends`, { side: "source" });
}

/** Whose attachments are looked for. */
export interface AttachedImage {
  /** How errors name it. */
  readonly image: string;
  readonly signal?: AbortSignal;
  /** Reads what a descriptor points at. */
  readonly manifest: (descriptor: Descriptor) => Promise<Manifest>;
}

/** Finds what hangs on images of one repository, whose tags are listed once, when first needed. */
export interface Attachments {
  /**
   * All that hangs on `root` and on everything below it, level by level: what hangs on an attachment comes in the next
   * level. Throws MANIFEST_UNKNOWN where a listed one is not there.
   */
  of(root: Outline, image: AttachedImage): AsyncIterable<readonly (Attachment & { readonly manifest: Manifest })[]>;
}

export function attachments(from: Source): Attachments {
  const listing = singleFlight<"tags", DigestTags | undefined>();
  return {
    async *of(root, image) {
      const { signal } = image;
      const list = (): Promise<DigestTags | undefined> => sided("source", () => digestTags(from, signal));
      const tags = (await listing.run("tags", signal, list)).value;
      const seen = new Set<Digest>();
      let level = await below([root], image, seen);
      for (let depth = 1; level.length > 0; depth++) {
        const lists = level.map((digest) => sided("source", () => attachedTo(from, digest, tags, signal)));
        const found = (await Promise.all(lists)).flat().map(present);
        // A registry may list a referrer under several subjects; each tag counts.
        const byName = new Map(found.map((one) => [one.tag ?? one.descriptor.digest, one]));
        const fresh = [...byName.values()].filter((one) => one.tag !== undefined || !seen.has(one.descriptor.digest));
        if (fresh.length === 0) return;
        if (depth > attachmentLimit || seen.size > countLimit) throw endless(from, root.descriptor.digest);
        yield fresh;
        level = await below(
          fresh.map((one) => one.manifest),
          image,
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
  roots: readonly Outline[],
  { image, manifest }: AttachedImage,
  seen: Set<Digest>,
): Promise<Digest[]> {
  const fresh: Digest[] = [];
  const add = (digest: Digest): boolean => {
    if (seen.has(digest)) return false;
    seen.add(digest);
    fresh.push(digest);
    return true;
  };
  const visit = async (one: Outline, depth: number): Promise<void> => {
    checkNesting(one, depth, image);
    add(one.descriptor.digest);
    for (const child of one.manifests) {
      if (add(child.digest) && isIndexType(child.mediaType)) await visit(await manifest(child), depth + 1);
    }
  };
  for (const root of roots) await visit(root, 1);
  return fresh;
}
