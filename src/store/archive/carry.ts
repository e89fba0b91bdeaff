import { isDigest, type Digest } from "../../oci/digest.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { Manifest } from "../../oci/manifest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { contentOf } from "../../oci/stream.ts";
import { descriptorsOf, type IndexDocument } from "../layout/index-document.ts";
import { blobPath, type LayoutSource } from "../layout/layout-source.ts";
import type { Naming } from "../layout/naming.ts";
import type { Call } from "../store.ts";
import type { ArchiveWriter } from "./archive-writer.ts";

/** What an archive lists. */
export interface Contents {
  readonly index: IndexDocument;
  /** Manifests that were made for it and are no files in it. */
  readonly manifests?: ReadonlyMap<Digest, Manifest>;
  /** The names of its images, as they were written. */
  readonly written?: ReadonlySet<string>;
  /** The blobs that are files in it, needed or not. */
  readonly blobs?: readonly Digest[];
}

/** What stands where a new archive goes: it goes along, and has to be there still when the new one takes its place. */
export interface Predecessor {
  readonly version: string | undefined;
  readonly archive?: Contents & Pick<LayoutSource, "manifest" | "size" | "blob">;
}

/** An archive that takes an older one's place. */
export interface Successor {
  readonly name: string;
  readonly naming: Naming;
  readonly writer: ArchiveWriter;
  readonly old: NonNullable<Predecessor["archive"]>;
  /** Reads the new archive, and through it the older one. */
  readonly source: LayoutSource;
  /** Gets those that go along. */
  readonly manifests: Map<Digest, Manifest>;
}

/**
 * Brings all that an index lists into a new archive, with what it needs as far as that is there, and the blobs that nothing
 * listed ever needed. What was attached to an image that is gone does not go along: gives the index without it.
 */
export async function carry(
  index: IndexDocument,
  successor: Successor,
  call: Call | undefined,
): Promise<IndexDocument> {
  try {
    return await carryAll(index, successor, call);
  } catch (cause) {
    if (!isRegistryError(cause, "CORRUPT", "MANIFEST_INVALID", "UNVERIFIED")) throw cause;
    const message = `${successor.name} stays as it was, as not all that is in it can go along: ${cause.message}`;
    throw new RegistryError(cause.code, message, {
      cause,
      hint: "copy that image into it anew, or write to another file",
    });
  }
}

async function carryAll(index: IndexDocument, to: Successor, call: Call | undefined): Promise<IndexDocument> {
  const bring = bringer(to, call);
  const names = to.naming.names(descriptorsOf(index));
  const left = new Set(index.entries);
  let needed: Promise<ReadonlySet<Digest>> | undefined;
  const wasNeeded = async (digest: Digest): Promise<boolean> => (await (needed ??= neededIn(to.old, call))).has(digest);
  const isGone = async (subject: Digest): Promise<boolean> => !bring.isDone(subject) && (await wasNeeded(subject));
  for (let before = Infinity; left.size < before;) {
    before = left.size;
    for (const [i, entry] of index.entries.entries()) {
      if (!left.has(entry)) continue;
      const { digest, mediaType } = entry.descriptor;
      const manifest = isManifestType(mediaType) ? await to.source.manifest(digest, call) : undefined;
      const name = names[i];
      const subject = name === undefined ? manifest?.subject?.digest : subjectOf(name);
      if (subject && !to.writer.members.has(blobPath(digest)) && (await isGone(subject))) continue;
      await bring(digest, manifest);
      left.delete(entry);
    }
  }
  for (const digest of to.old.blobs ?? []) {
    const isThere = bring.isDone(digest) || to.writer.members.has(blobPath(digest));
    const isWanted = !isThere && !(await wasNeeded(digest)) && (await to.source.size(digest, call)) !== undefined;
    if (isWanted) await bring(digest, undefined);
  }
  return { ...index, entries: index.entries.filter((entry) => !left.has(entry)) };
}

/** What the older archive lists, and all that this needs, as far as it can be read. */
async function neededIn({ index, manifest }: Successor["old"], call: Call | undefined): Promise<ReadonlySet<Digest>> {
  const needed = new Set<Digest>();
  const visit = async (digest: Digest): Promise<void> => {
    if (needed.has(digest)) return;
    needed.add(digest);
    const found = await manifest(digest, call).catch((error: unknown) => {
      if (!isRegistryError(error, "CORRUPT", "MANIFEST_INVALID", "UNVERIFIED")) throw error;
      return undefined;
    });
    for (const blob of found?.blobs ?? []) needed.add(blob.digest);
    for (const child of found?.manifests ?? []) await visit(child.digest);
  };
  for (const { digest, mediaType } of descriptorsOf(index)) {
    if (isManifestType(mediaType)) await visit(digest);
    else needed.add(digest);
  }
  return needed;
}

interface Bringer {
  /** Writes what is not there yet, after all it needs. */
  (digest: Digest, manifest: Manifest | undefined): Promise<void>;
  isDone(digest: Digest): boolean;
}

function bringer({ writer, old, source, manifests }: Successor, call: Call | undefined): Bringer {
  const done = new Set<Digest>();
  const bring = async (digest: Digest, manifest: Manifest | undefined): Promise<void> => {
    if (done.has(digest)) return;
    done.add(digest);
    for (const child of manifest?.manifests ?? []) await bring(child.digest, await source.manifest(child.digest, call));
    for (const blob of manifest?.blobs ?? []) await bring(blob.digest, undefined);
    const size = manifest?.bytes.byteLength ?? (await old.size(digest, call));
    if (size === undefined) return;
    const content = manifest ? contentOf(manifest.bytes) : () => old.blob(digest, { ...call, transient: true });
    await writer.append(blobPath(digest), size, content, () => writer.members.has(blobPath(digest)));
    if (manifest) manifests.set(digest, manifest);
  };
  return Object.assign(bring, { isDone: (digest: Digest) => done.has(digest) });
}

/** What hangs on a digest may have a tag that is named after it: `sha256-<hex>`, with or without a suffix. */
function subjectOf(name: string): Digest | undefined {
  const digest = /(?:^|:)(sha(?:256|512)-[0-9a-f]+)(?:\.|$)/.exec(name)?.[1]?.replace("-", ":") ?? "";
  return isDigest(digest) ? digest : undefined;
}
