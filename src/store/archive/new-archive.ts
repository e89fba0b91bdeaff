import type { Writable } from "node:stream";
import { algorithmOf, digestOf, type Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Manifest } from "../../oci/manifest.ts";
import { contentOf, streamOf, verified, type ByteStream, type Content } from "../../oci/stream.ts";
import { abortable, throwIfAborted } from "../../oci/abort.ts";
import * as document from "../layout/index-document.ts";
import { blobPath, layoutSource, type LayoutFiles, type LayoutSource } from "../layout/layout-source.ts";
import type { Naming } from "../layout/naming.ts";
import type { Call, Put } from "../store.ts";
import { archiveFile, type ArchiveFile } from "./archive-file.ts";
import { writeArchiveFile, writeArchiveStream, type ArchiveWriter } from "./archive-writer.ts";
import { carry, type Contents, type Predecessor } from "./carry.ts";

/** How an image archive is written. */
export interface NewFormat {
  readonly naming: Naming;
  /** The members that come last, beside the layout's own. */
  extras(
    index: document.IndexDocument,
    manifests: ReadonlyMap<Digest, Manifest>,
    old: Contents | undefined,
  ): readonly (readonly [name: string, bytes: Uint8Array])[];
}

/** What tells one kind of image archive from another. */
export interface ArchiveFormat extends NewFormat {
  /** Reads an archive of this kind. */
  read(archive: ArchiveFile, name: string): Promise<LayoutSource>;
  /** What goes along from an archive that was read into the one that takes its place; throws INVALID where it has more. */
  contents(archive: ArchiveFile, source: LayoutSource, name: string): Promise<Contents>;
}

/** An archive that is being written: a layout whose index comes last. */
export interface NewArchive {
  readonly source: LayoutSource;
  putBlob(
    blob: { readonly digest: Digest; readonly size?: number },
    content: Content,
    call?: Call & { readonly replace?: boolean },
  ): Promise<Put>;
  putManifest(manifest: Manifest, tag: string | undefined): Promise<void>;
  deleteTag(tag: string): Promise<void>;
  deleteManifest(digest: Digest): Promise<void>;
  flush(call?: Call): Promise<void>;
  close(): Promise<void>;
}

/** Begins an archive at a path or in a stream. */
export async function newArchive(
  name: string,
  to: string | Writable | undefined,
  format: NewFormat,
  before?: Predecessor,
): Promise<NewArchive> {
  const { naming } = format;
  const writer = await open(name, to, before);
  const old = before?.archive;
  const manifests = new Map<Digest, Manifest>(old?.manifests);
  const deleted = new Set<Digest>();
  let index = old?.index ?? document.emptyIndex;
  let finished: Promise<void> | undefined;
  const written = (digest: Digest): boolean => writer.members.has(blobPath(digest));
  const source = layoutSource(
    filesOf(name, naming, writer, {
      index: () => index,
      manifest: (digest) => manifests.get(digest),
      isDeleted: (digest) => deleted.has(digest),
      old,
    }),
  );

  const checkOpen = (): void => {
    if (!finished) return;
    throw new RegistryError("UNSUPPORTED", `${name} is written out: nothing can be added to it`, {
      hint: "put everything before the flush, or use an image layout (oci:DIRECTORY)",
    });
  };

  const finish = async (call: Call | undefined): Promise<void> => {
    if (old) index = await carry(index, { name, naming, writer, old, source, manifests }, call);
    await writer.finish([
      ...format.extras(index, manifests, old),
      ["index.json", Buffer.from(document.formatIndex(index))],
      ["oci-layout", Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" }))],
    ]);
  };

  return {
    source,
    async putBlob({ digest, size }, content, call) {
      checkOpen();
      const open: Content = async () => {
        throwIfAborted(call?.signal);
        return verified(abortable(await content(), call?.signal), { digest, size });
      };
      const isThere = (): boolean => !call?.replace && written(digest);
      return (await writer.append(blobPath(digest), size, open, isThere)) ? "written" : "exists";
    },
    async putManifest(manifest, tag) {
      checkOpen();
      const { digest } = manifest.descriptor;
      if (digestOf(manifest.bytes, algorithmOf(digest)) !== digest) {
        throw new RegistryError("DIGEST_INVALID", `the bytes of manifest ${digest} have another digest`);
      }
      if (tag !== undefined) {
        naming.annotations(tag);
        await source.head(tag); // Throws where the name is that of several images: which one is to lose it?
      }
      await writer.append(blobPath(digest), manifest.bytes.byteLength, contentOf(manifest.bytes), () =>
        written(digest),
      );
      deleted.delete(digest);
      manifests.set(digest, manifest);
      index = document.listManifest(index, manifest, tag, naming);
    },
    async deleteTag(tag) {
      checkOpen();
      index = document.unlistName(index, tag, naming) ?? index;
    },
    async deleteManifest(digest) {
      checkOpen();
      deleted.add(digest);
      manifests.delete(digest);
      index = document.unlistDigest(index, digest);
    },
    flush: (call) => (finished ??= finish(call)),
    close: () => writer.close(),
  };
}

function open(
  name: string,
  to: string | Writable | undefined,
  before: Predecessor | undefined,
): Promise<ArchiveWriter> | ArchiveWriter {
  if (to === undefined) throw new RegistryError("INVALID", `there is no standard output to write ${name} to`);
  return typeof to === "string" ? writeArchiveFile(to, before) : writeArchiveStream(to);
}

interface State {
  index(): document.IndexDocument;
  manifest(digest: Digest): Manifest | undefined;
  isDeleted(digest: Digest): boolean;
  readonly old: Predecessor["archive"];
}

/**
 * What has been written so far, and what goes along, as a layout to read from; out of a stream nothing comes back but
 * manifests.
 */
function filesOf(name: string, naming: Naming, { file, members }: ArchiveWriter, state: State): LayoutFiles {
  const { old } = state;
  return {
    name,
    naming,
    index: async () => state.index(),
    async size(digest, signal) {
      if (state.isDeleted(digest)) return undefined;
      const written = members.get(blobPath(digest))?.size ?? state.manifest(digest)?.bytes.byteLength;
      return written ?? old?.size(digest, signal && { signal });
    },
    stream(digest, { transient }) {
      const manifest = state.manifest(digest);
      if (manifest) return streamOf(manifest.bytes);
      if (old && !members.has(blobPath(digest))) return opened(() => old.blob(digest, { transient }));
      if (file) return archiveFile(file, members, name).stream(blobPath(digest), { transient });
      throw new RegistryError("UNSUPPORTED", `what has gone to ${name} cannot be read back`);
    },
  };
}

async function* opened(content: Content): ByteStream {
  yield* await content();
}
