import { posix } from "node:path";
import { RegistryError } from "../../oci/error.ts";
import { hostPlatform, type Platform } from "../../oci/platform.ts";
import { layoutSource } from "../layout/layout-source.ts";
import type { LocalStore } from "../local-store.ts";
import { archiveStore, type ArchiveOptions } from "./archive-store.ts";
import { hybridContents, hybridSource } from "./docker-hybrid.ts";
import { legacyContents, legacySource } from "./docker-legacy.ts";
import { formatDockerManifest, readDockerManifest } from "./docker-manifest.ts";
import { dockerNaming } from "./docker-naming.ts";
import { archivedLayout, expectNothingElse, isLayoutFile, noImageArchive, readArchiveIndex } from "./layout-archive.ts";
import type { ArchiveFormat } from "./new-archive.ts";

export interface DockerArchiveOptions extends ArchiveOptions {
  /** Which image of an index `docker load` is to find: the one for this machine unless told. */
  readonly platform?: Platform;
}

/**
 * What `docker save` writes and `docker load` reads, at a path or at `-` for the streams given. Written as Docker does since
 * 25, an image layout and a manifest.json over the same blobs, so that every image stays byte for byte what it was; tags are
 * references. Older archives are read too, with a manifest made for each image.
 */
export function dockerArchiveStore(path: string, options: DockerArchiveOptions = {}): LocalStore {
  const format: ArchiveFormat = {
    naming: dockerNaming,
    extras: (index, manifests, old) => [
      ["manifest.json", formatDockerManifest(index, manifests, options.platform ?? hostPlatform(), old?.written)],
    ],
    async read(archive, name) {
      const index = await readArchiveIndex(archive, name);
      const images = await readDockerManifest(archive, name);
      if (index && images) return hybridSource(archive, name, index, images);
      if (index) return layoutSource(archivedLayout(archive, name, dockerNaming, index));
      if (images) return legacySource(archive, name, images);
      throw noImageArchive(name, "write it anew with `docker save` of Docker 1.10 or later");
    },
    async contents(archive, source, name) {
      const index = await readArchiveIndex(archive, name);
      const images = await readDockerManifest(archive, name);
      if (!images) {
        throw new RegistryError("INVALID", `${name} is an OCI archive`, {
          hint: `write ${name.replace("docker-archive:", "oci-archive:")}`,
        });
      }
      const named = new Set(
        images.flatMap(({ config, layers }) => [config, ...layers].map((file) => posix.normalize(file))),
      );
      expectNothingElse(
        archive,
        name,
        (file) => named.has(file) || isDockerFile(file) || (!!index && isLayoutFile(file)),
      );
      const contents = await (index ? hybridContents(archive, name, index, images) : legacyContents(source));
      return { ...contents, written: new Set(images.flatMap(({ tags }) => tags)) };
    },
  };
  return archiveStore(`docker-archive:${path}`, path, format, options);
}

/** Whether older programs write such a file beside the layers: what is in it is in manifest.json, too. */
function isDockerFile(file: string): boolean {
  return (
    file === "manifest.json" ||
    file === "repositories" ||
    /^[0-9a-f]{64}(?:\/(?:VERSION|json|layer\.tar)|\.json|\.tar)$/.test(file)
  );
}
