import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { buildManifest, check, contentOf, digestOf, mediaTypes, parsePlatform, type Descriptor } from "../src/index.ts";
import { layoutStore, type Store } from "../src/store/index.ts";

/** What a layer is made of: a directory, and where it stands in the image. */
interface Part {
  readonly from: string;
  readonly at: string;
  readonly says: string;
}

interface Layer extends Part {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

const platforms = ["linux/amd64", "linux/arm64"];

/** Puts an image for two platforms together from the files of this repository, into an OCI layout; answers its bytes. */
export async function assembleImage(root: string, layout: string, tag: string): Promise<number> {
  const store = layoutStore(layout);
  const files = join(root, "examples", "image");
  const shared = [
    await addLayer(store, { from: join(files, "rootfs"), at: "", says: "COPY rootfs /" }),
    await addLayer(store, { from: join(root, "src"), at: "usr/src/gantry", says: "COPY src /usr/src/gantry" }),
  ];
  const images: Descriptor[] = [];
  for (const platform of platforms) {
    const own = { from: join(files, platform.replace("/", "-")), at: "", says: `COPY ${platform} /` };
    images.push(await addImage(store, platform, [...shared, await addLayer(store, own)]));
  }
  const index = buildManifest({ mediaType: mediaTypes.ociIndex, manifests: images });
  await store.putManifest(index, { tag });
  const { bytes } = await check(store, tag);
  await store.close();
  return bytes;
}

async function addImage(store: Store, platform: string, layers: readonly Layer[]): Promise<Descriptor> {
  const created = new Date().toISOString();
  const config = {
    created,
    ...parsePlatform(platform),
    config: {
      Entrypoint: ["/bin/sh", "/usr/local/bin/hello"],
      Env: ["PATH=/usr/local/bin:/usr/bin:/bin"],
      Labels: { "org.opencontainers.image.title": "hello", "org.opencontainers.image.licenses": "Apache-2.0" },
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ says }) => ({ created, created_by: says })),
  };
  const manifest = buildManifest({
    mediaType: mediaTypes.ociManifest,
    config: await addBlob(store, Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
    layers: layers.map(({ descriptor }) => descriptor),
  });
  await store.putManifest(manifest);
  const { mediaType, digest, size } = manifest.descriptor;
  return { mediaType, digest, size, platform: parsePlatform(platform) };
}

async function addLayer(store: Store, part: Part): Promise<Layer> {
  const tar = await tarOf(part);
  const descriptor = await addBlob(store, gzipSync(tar), mediaTypes.ociLayerGzip);
  return { ...part, descriptor, diffId: digestOf(tar) };
}

async function addBlob(store: Store, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  await store.putBlob(descriptor, contentOf(bytes));
  return descriptor;
}

/** A tar of a directory's files, in one order and with one age, so that the same files make the same bytes. */
async function tarOf({ from, at }: Part): Promise<Buffer> {
  const archive = pack();
  const names = await readdir(from, { recursive: true });
  for (const name of names.toSorted()) {
    const found = await stat(join(from, name));
    const header = { name: join(at, name), mtime: new Date(0), mode: found.mode & 0o777 };
    if (found.isDirectory()) archive.entry({ ...header, type: "directory" });
    else archive.entry(header, await readFile(join(from, name)));
  }
  archive.finalize();
  return Buffer.concat(await Array.fromAsync(archive as AsyncIterable<Buffer>));
}
