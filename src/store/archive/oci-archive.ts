import { RegistryError } from "../../oci/error.ts";
import { layoutSource } from "../layout/layout-source.ts";
import { layoutNaming } from "../layout/naming.ts";
import type { LocalStore } from "../local-store.ts";
import { archiveStore, type ArchiveOptions } from "./archive-store.ts";
import {
  archivedLayout,
  blobsIn,
  expectNothingElse,
  isLayoutFile,
  noImageArchive,
  readArchiveIndex,
} from "./layout-archive.ts";
import type { ArchiveFormat } from "./new-archive.ts";

/**
 * An OCI image layout in a tar archive (plain, or to read with gzip or zstd), at a path or at `-` for the streams given.
 * Putting begins a new archive that replaces the file at `flush`.
 */
export function ociArchiveStore(path: string, options: ArchiveOptions = {}): LocalStore {
  return archiveStore(`oci-archive:${path}`, path, format, options);
}

const format: ArchiveFormat = {
  naming: layoutNaming,
  extras: () => [],
  async read(archive, name) {
    const index = await readArchiveIndex(archive, name);
    if (index) return layoutSource(archivedLayout(archive, name, layoutNaming, index));
    if (archive.size("manifest.json") === undefined)
      throw noImageArchive(name, "an OCI archive is a tar of an image layout");
    throw new RegistryError("INVALID", `${name} is no OCI archive but one that \`docker save\` makes`, {
      hint: `write ${name.replace("oci-archive:", "docker-archive:")}`,
    });
  },
  async contents(archive, _source, name) {
    if (archive.size("manifest.json") !== undefined) {
      throw new RegistryError("INVALID", `${name} is more than an OCI archive: manifest.json in it would be lost`, {
        hint: `write ${name.replace("oci-archive:", "docker-archive:")}`,
      });
    }
    expectNothingElse(archive, name, isLayoutFile);
    return { index: (await readArchiveIndex(archive, name))!, blobs: blobsIn(archive) };
  },
};
