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

/** What tells one kind of image archive from another. */
export interface ArchiveFormat {
  readonly naming: Naming;
  /** Reads an archive of this kind. */
  read(archive: ArchiveFile, name: string): Promise<LayoutSource>;
  /** The members that come last, beside the layout's own. */
  extras(
    index: document.IndexDocument,
    manifests: ReadonlyMap<Digest, Manifest>,
  ): readonly (readonly [name: string, bytes: Uint8Array])[];
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
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Begins an archive at a path or in a stream. */
export async function newArchive(
  name: string,
  to: string | Writable | undefined,
  format: ArchiveFormat,
): Promise<NewArchive> {
  const { naming } = format;
  const writer = await open(name, to);
  const manifests = new Map<Digest, Manifest>();
  const deleted = new Set<Digest>();
  let index = document.emptyIndex;
  let finished: Promise<void> | undefined;
  const written = (digest: Digest): boolean => writer.members.has(blobPath(digest));
  const has = (digest: Digest): boolean => written(digest) && !deleted.has(digest);

  const checkOpen = (): void => {
    if (!finished) return;
    throw new RegistryError("UNSUPPORTED", `${name} is written out: nothing can be added to it`, {
      hint: "put everything before the flush, or use an image layout (oci:DIRECTORY)",
    });
  };

  return {
    source: layoutSource(
      filesOf(name, naming, writer, { index: () => index, has, manifest: (digest) => manifests.get(digest) }),
    ),
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
      if (tag !== undefined) naming.annotations(tag);
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
    flush() {
      return (finished ??= writer.finish([
        ...format.extras(index, manifests),
        ["index.json", Buffer.from(document.formatIndex(index))],
        ["oci-layout", Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" }))],
      ]));
    },
    close: () => writer.close(),
  };
}

function open(name: string, to: string | Writable | undefined): Promise<ArchiveWriter> | ArchiveWriter {
  if (to === undefined) throw new RegistryError("INVALID", `there is no standard output to write ${name} to`);
  return typeof to === "string" ? writeArchiveFile(to) : writeArchiveStream(to);
}

interface State {
  index(): document.IndexDocument;
  has(digest: Digest): boolean;
  manifest(digest: Digest): Manifest | undefined;
}

/** What has been written so far, as a layout to read from; out of a stream nothing comes back but manifests. */
function filesOf(name: string, naming: Naming, { file, members }: ArchiveWriter, state: State): LayoutFiles {
  const stream = (digest: Digest, transient?: boolean): ByteStream => {
    const manifest = state.manifest(digest);
    if (manifest) return streamOf(manifest.bytes);
    if (file) return archiveFile(file, members, name).stream(blobPath(digest), { transient });
    throw new RegistryError("UNSUPPORTED", `what has gone to ${name} cannot be read back`);
  };
  return {
    name,
    naming,
    index: async () => state.index(),
    size: async (digest) => (state.has(digest) ? members.get(blobPath(digest))?.size : undefined),
    stream: (digest, { transient }) => stream(digest, transient),
  };
}
