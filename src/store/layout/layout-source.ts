import { refNameAnnotation, type Descriptor } from "../../oci/descriptor.ts";
import { algorithmOf, hexOf, isDigest, type Digest } from "../../oci/digest.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { manifestLimit, parseManifest, type Manifest } from "../../oci/manifest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { collect, verified, type ByteStream } from "../../oci/stream.ts";
import { abortable, throwIfAborted } from "../../oci/abort.ts";
import type { LocalStore } from "../local-store.ts";
import type { Call } from "../store.ts";
import { descriptorsOf, type IndexDocument } from "./index-document.ts";
import { imageNameAnnotation, type Naming } from "./naming.ts";

/** The files of a layout, wherever they are: in a directory or in an archive. */
export interface LayoutFiles {
  readonly name: string;
  readonly naming: Naming;
  /** index.json as it is now. */
  index(signal: AbortSignal | undefined): Promise<IndexDocument>;
  /** The size of a blob's file. */
  size(digest: Digest, signal: AbortSignal | undefined): Promise<number | undefined>;
  /** A blob's bytes, unchecked; throws what `absent` makes where there are none when the first piece is asked for. */
  stream(digest: Digest, options: { readonly transient?: boolean; readonly absent: () => Error }): ByteStream;
}

/** The half of a layout's store that reads. */
export type LayoutSource = Pick<LocalStore, "head" | "manifest" | "size" | "blob" | "tags" | "referrers" | "roots">;

/** The path of a blob in a layout; of a checked digest, so that it leads nowhere else. */
export function blobPath(digest: Digest): string {
  if (!isDigest(digest)) throw new RegistryError("DIGEST_INVALID", `invalid digest ${JSON.stringify(digest)}`);
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** Reads a repository out of the files of a layout (image-spec, "Image Layout"). */
export function layoutSource(files: LayoutFiles): LayoutSource {
  const { name, naming } = files;
  const attachments = new Map<Digest, Attachment | undefined>();
  let lastAttached: { readonly index: IndexDocument; readonly bySubject: AttachedTo } | undefined;

  const entry = async (ref: string, call: Call | undefined): Promise<Descriptor | undefined> => {
    throwIfAborted(call?.signal);
    const entries = descriptorsOf(await files.index(call?.signal));
    if (isDigest(ref)) return entries.find(({ digest }) => digest === ref);
    const found = entries.filter((candidate) => naming.matches(candidate, ref));
    if (found.some(({ digest }) => digest !== found[0]!.digest)) throw ambiguous(ref, found, name);
    return found[0];
  };

  /** A manifest's file, read; undefined where it is not there or, being `listed` nowhere, holds something else. */
  const read = async (
    digest: Digest,
    listed: Descriptor | undefined,
    call: Call | undefined,
  ): Promise<Manifest | undefined> => {
    const size = await files.size(digest, call?.signal);
    if (size === undefined || (size > manifestLimit && !listed)) return undefined;
    const absent = (): Error => new RegistryError("MANIFEST_UNKNOWN", `manifest ${digest} is not in ${name}`);
    const stream = abortable(files.stream(digest, { absent }), call?.signal);
    const bytes = await collect(stream, manifestLimit, `manifest ${digest}`);
    try {
      const manifest = parseManifest(bytes, { digest, ...(listed && { mediaType: listed.mediaType }) });
      return listed || isManifestType(manifest.descriptor.mediaType) ? manifest : undefined;
    } catch (error) {
      if (!listed && isRegistryError(error, "MANIFEST_INVALID")) return undefined;
      throw error;
    }
  };

  const manifest: LayoutSource["manifest"] = async (ref, call) => {
    const listed = await entry(ref, call);
    const digest = listed?.digest ?? (isDigest(ref) ? ref : undefined);
    const found = digest && (await read(digest, listed, call));
    if (!found && listed && !isDigest(ref)) {
      throw new RegistryError("CORRUPT", `${name} lists ${ref} as ${listed.digest}, but has no such blob`);
    }
    return found;
  };

  /** What a listed manifest is attached to; remembered, as a digest's bytes never change. */
  const attachment = async (listed: Descriptor, call: Call | undefined): Promise<Attachment | undefined> => {
    if (!isManifestType(listed.mediaType)) return undefined;
    if (attachments.has(listed.digest)) return attachments.get(listed.digest);
    const found = await read(listed.digest, listed, call);
    if (!found) return undefined;
    const attached = found.subject && { subject: found.subject.digest, descriptor: found.descriptor };
    attachments.set(listed.digest, attached);
    return attached;
  };

  /** What index.json lists that is attached to something, by that; remembered for an index.json once all of it is read. */
  const attachedIn = async (index: IndexDocument, call: Call | undefined): Promise<AttachedTo> => {
    if (lastAttached?.index === index) return lastAttached.bySubject;
    const bySubject = new Map<Digest, Descriptor[]>();
    let isWhole = true;
    for (const listed of descriptorsOf(index)) {
      const attached = await attachment(listed, call);
      if (attached) bySubject.set(attached.subject, [...(bySubject.get(attached.subject) ?? []), listed]);
      isWhole &&= attachments.has(listed.digest) || !isManifestType(listed.mediaType);
    }
    if (isWhole) lastAttached = { index, bySubject };
    return bySubject;
  };

  /** Those that index.json lists and those that the subject's fallback tag does (distribution-spec, "Referrers Tag Schema"). */
  const candidates = async (subject: Digest, call: Call | undefined): Promise<readonly Descriptor[]> => {
    const entries = (await attachedIn(await files.index(call?.signal), call)).get(subject) ?? [];
    const fallback = await manifest(`${algorithmOf(subject)}-${hexOf(subject)}`, call);
    return [...entries, ...(fallback?.manifests ?? [])];
  };

  return {
    manifest,
    async head(ref, call) {
      const listed = await entry(ref, call);
      if (!listed) return isDigest(ref) ? pointer((await read(ref, undefined, call))?.descriptor) : undefined;
      return (await files.size(listed.digest, call?.signal)) === listed.size ? pointer(listed) : undefined;
    },
    async size(digest, call) {
      throwIfAborted(call?.signal);
      return files.size(digest, call?.signal);
    },
    async blob(digest, call) {
      throwIfAborted(call?.signal);
      const size = await files.size(digest, call?.signal);
      const absent = (): Error => new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in ${name}`);
      if (size === undefined) throw absent();
      const stream = files.stream(digest, { absent, ...(call?.transient && { transient: true }) });
      return verified(abortable(stream, call?.signal), { digest, size: call?.size ?? size });
    },
    async *tags(call) {
      throwIfAborted(call?.signal);
      const names = naming.names(descriptorsOf(await files.index(call?.signal)));
      const tags = new Set(names.filter((tag) => tag !== undefined));
      yield* [...tags].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    },
    async *referrers(subject, call) {
      throwIfAborted(call?.signal);
      const seen = new Set<Digest>();
      for (const candidate of await candidates(subject, call)) {
        if (seen.has(candidate.digest)) continue;
        seen.add(candidate.digest);
        const attached = await attachment(candidate, call);
        if (attached?.subject !== subject) continue;
        if (call?.artifactType !== undefined && attached.descriptor.artifactType !== call.artifactType) continue;
        if ((await files.size(candidate.digest, call?.signal)) !== undefined) yield attached.descriptor;
      }
    },
    async roots(call) {
      throwIfAborted(call?.signal);
      const entries = descriptorsOf(await files.index(call?.signal));
      const names = naming.names(entries);
      const roots: Descriptor[] = [];
      for (const [i, { annotations, ...listed }] of entries.entries()) {
        const root = names[i];
        if (root === undefined ? await attachment(listed, call) : fallbackTag.test(root)) continue;
        roots.push({
          ...listed,
          ...((annotations || root) && { annotations: { ...annotations, ...(root && { [refNameAnnotation]: root }) } }),
        });
      }
      return roots;
    },
  };
}

interface Attachment {
  readonly subject: Digest;
  readonly descriptor: Descriptor;
}

type AttachedTo = ReadonlyMap<Digest, readonly Descriptor[]>;

/** The tags under which referrers and signatures are kept where there is no referrers API; in a whole name, too. */
const fallbackTag = /(?:^|:)sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})(?:\..+)?$/;

function pointer(descriptor: Descriptor | undefined): Descriptor | undefined {
  return descriptor && { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size };
}

function ambiguous(ref: string, found: readonly Descriptor[], name: string): RegistryError {
  const full = found.flatMap(({ annotations }) => annotations?.[imageNameAnnotation] ?? []);
  const hint =
    new Set(full).size === found.length
      ? `name one in full: ${full.join(", ")}`
      : `name one by its digest: ${found.map(({ digest }) => `@${digest}`).join(", ")}`;
  return new RegistryError("INVALID", `${JSON.stringify(ref)} names ${found.length} images in ${name}`, { hint });
}
