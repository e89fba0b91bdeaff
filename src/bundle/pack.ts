import { createReadStream } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { digester, digestOf, hexOf, type Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { doing } from "../files/file-error.ts";
import { newArchive, type NewFormat } from "../store/archive/new-archive.ts";
import { formatIndex } from "../store/layout/index-document.ts";
import { blobPath } from "../store/layout/layout-source.ts";
import { layoutNaming } from "../store/layout/naming.ts";
import type { Call, Source } from "../store/store.ts";
import { manifestFile, sumsFile, type BundleManifest } from "./manifest.ts";

/** All that goes into a bundle. */
export interface Load {
  readonly manifest: BundleManifest;
  readonly blobs: ReadonlyMap<Digest, number>;
  /** Parts before what they are parts of. */
  readonly manifests: ReadonlyMap<Digest, Manifest>;
  /** By their full names: `registry.example/app:1.0`. */
  readonly names: ReadonlyMap<string, Digest>;
}

/**
 * Writes a bundle out of the stage: a tar of an OCI image layout in which images have their full names, with what it is for
 * and the checksums of all members; beside it `PATH.sha256`, that of the whole. It appears when it is complete.
 */
export async function pack(path: string, stage: Source, load: Load, call: Call = {}): Promise<void> {
  const { manifests, blobs, names } = load;
  const sum = `${path}.sha256`;
  const sums = await sumsOf(stage, load, call);
  const format: NewFormat = {
    naming: layoutNaming,
    extras: (index) => {
      const about = Buffer.from(`${JSON.stringify(load.manifest, undefined, 1)}\n`);
      const small: readonly (readonly [string, Uint8Array | string])[] = [
        [manifestFile, about],
        ["index.json", formatIndex(index)],
        ["oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })],
      ];
      const lines = [...sums, ...small.map(([name, bytes]) => [name, hexOf(digestOf(bytes))] as const)];
      const text = lines
        .map(([name, hex]) => `${hex}  ${name}\n`)
        .sort()
        .join("");
      return [
        [manifestFile, about],
        [sumsFile, Buffer.from(text)],
      ];
    },
  };
  const archive = await newArchive(path, path, format);
  try {
    for (const [digest, size] of blobs) await archive.putBlob({ digest, size }, () => stage.blob(digest, call), call);
    for (const manifest of manifests.values()) await archive.putManifest(manifest, undefined);
    for (const [name, digest] of names) await archive.putManifest(manifests.get(digest)!, name);
    // One that an older bundle left would call this one damaged.
    await doing(`remove ${sum}`, () => rm(sum, { force: true }));
    await archive.flush();
  } finally {
    await archive.close();
  }
  const whole = `${hexOf(await fileDigest(path, call))}  ${basename(path)}\n`;
  await doing(`write ${sum}`, async () => {
    await writeFile(`${sum}.part`, whole);
    await rename(`${sum}.part`, sum);
  });
}

/** The SHA-256 of each file in blobs/; what a file is named after, where it is named so. */
async function sumsOf(
  stage: Source,
  { blobs, manifests }: Load,
  call: Call,
): Promise<readonly (readonly [string, string])[]> {
  const sums: (readonly [string, string])[] = [];
  for (const digest of [...blobs.keys(), ...manifests.keys()]) {
    let hex = hexOf(digest);
    if (!digest.startsWith("sha256:")) {
      const manifest = manifests.get(digest);
      hex = hexOf(manifest ? digestOf(manifest.bytes) : await sumOf(await stage.blob(digest, call)));
    }
    sums.push([blobPath(digest), hex]);
  }
  return sums;
}

async function sumOf(bytes: AsyncIterable<Uint8Array>): Promise<Digest> {
  const state = digester();
  for await (const piece of bytes) state.update(piece);
  return state.digest();
}

/** The SHA-256 of a file. */
export async function fileDigest(path: string, { signal }: Call = {}): Promise<Digest> {
  return doing(`read ${path}`, () =>
    sumOf(
      createReadStream(path, { highWaterMark: 1024 * 1024, ...(signal && { signal }) }) as AsyncIterable<Uint8Array>,
    ),
  );
}
