import { isDigest, type Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { emptyIndex, indexLimit, parseIndex, type IndexDocument } from "../layout/index-document.ts";
import { blobPath, type LayoutFiles } from "../layout/layout-source.ts";
import type { Naming } from "../layout/naming.ts";
import type { ArchiveFile } from "./archive-file.ts";

/** The index.json of a layout in an archive; undefined where there is none. */
export async function readArchiveIndex(archive: ArchiveFile, name: string): Promise<IndexDocument | undefined> {
  const bytes = await archive.read("index.json", indexLimit);
  if (bytes) return parseIndex(bytes, `index.json in ${name}`);
  return archive.size("oci-layout") === undefined ? undefined : emptyIndex;
}

/** The files of a layout in an archive. */
export function archivedLayout(archive: ArchiveFile, name: string, naming: Naming, index: IndexDocument): LayoutFiles {
  return {
    name,
    naming,
    index: async () => index,
    size: async (digest) => archive.size(blobPath(digest)),
    async *stream(digest, { transient, absent }) {
      if (archive.size(blobPath(digest)) === undefined) throw absent();
      yield* archive.stream(blobPath(digest), { transient });
    },
  };
}

/** The digest of the blob that a file of a layout holds; undefined of what is none. */
function digestAt(file: string): Digest | undefined {
  const digest = /^blobs\/([^/]+\/[^/]+)$/.exec(file)?.[1]?.replace("/", ":") ?? "";
  return isDigest(digest) ? digest : undefined;
}

/** The blobs of a layout in an archive. */
export function blobsIn(archive: ArchiveFile): readonly Digest[] {
  return archive.names().flatMap((file) => digestAt(file) ?? []);
}

/** Whether an image layout has a file of this name. */
export function isLayoutFile(file: string): boolean {
  return file === "index.json" || file === "oci-layout" || digestAt(file) !== undefined;
}

/** Throws INVALID where a file is in an archive that does not go along into the next. */
export function expectNothingElse(archive: ArchiveFile, name: string, isKnown: (file: string) => boolean): void {
  const other = archive.names().find((file) => !isKnown(file));
  if (other === undefined) return;
  throw new RegistryError("INVALID", `${name} is more than an image archive: ${other} in it would be lost`, {
    hint: "write to another file, or to an image layout (oci:DIRECTORY)",
  });
}

/** What to say of an archive that holds no image in a format Gantry knows. */
export function noImageArchive(name: string, hint: string): RegistryError {
  return new RegistryError("CORRUPT", `${name} is no image archive: it has neither an index.json nor a manifest.json`, {
    hint,
  });
}
