import { parseManifest, type Manifest, type ManifestExpectation } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { sha256, sha512 } from "./reference-table.ts";

export type Json = Readonly<Record<string, unknown>>;

export const config: Json = { mediaType: mediaTypes.ociConfig, digest: sha256, size: 2 };
export const layer: Json = { mediaType: mediaTypes.ociLayerGzip, digest: sha512, size: 3 };
export const child: Json = {
  mediaType: mediaTypes.ociManifest,
  digest: sha256,
  size: 4,
  platform: { os: "linux", architecture: "amd64" },
};
export const image: Json = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
export const index: Json = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };

/** Parses a body, or a text as it is. */
export function parse(body: unknown, expected?: ManifestExpectation): Manifest {
  return parseManifest(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), expected);
}
