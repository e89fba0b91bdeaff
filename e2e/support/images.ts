import { createCipheriv, createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";

/** What the image is like; the same settings always give the same bytes. */
export interface ImageOptions {
  /** The tag in index.json: `latest` unless told. */
  readonly tag?: string;
  /** `os/architecture[/variant]` each; an index over them. Without: one linux/amd64 manifest. */
  readonly platforms?: readonly string[];
  /** Layers of each platform: 2 unless told. */
  readonly layers?: number;
  /** The first so many of them are those of the image that this seed makes. */
  readonly base?: { readonly seed: string; readonly layers: number };
  /** Bytes of content in each layer, incompressible: 1024 unless told. */
  readonly layerSize?: number;
  /** Docker schema 2 media types instead of OCI ones. */
  readonly docker?: boolean;
  /** Other text, other content. */
  readonly seed?: string;
}

/** A descriptor of something that was written. */
export interface Made {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What was written: the root (index or manifest), every image manifest, and every config and layer. */
export interface MadeImage {
  readonly root: Made;
  readonly manifests: readonly (Made & { readonly platform: Readonly<Record<string, string>> })[];
  readonly blobs: readonly Made[];
}

const oci = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};
const docker: typeof oci = {
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

/** Writes an image into an OCI layout directory, beside what is there already, with no engine. */
export async function makeImage(dir: string, options: ImageOptions = {}): Promise<MadeImage> {
  const types = options.docker ? docker : oci;
  await mkdir(join(dir, "blobs", "sha256"), { recursive: true });
  const blobs: Made[] = [];
  const manifests: MadeImage["manifests"][number][] = [];
  for (const name of options.platforms ?? ["linux/amd64"]) {
    const [os = "linux", architecture = "amd64", variant] = name.split("/");
    const platform = { os, architecture, ...(variant !== undefined && { variant }) };
    const diffIds: string[] = [];
    const layers: Made[] = [];
    for (let i = 0; i < (options.layers ?? 2); i++) {
      const seed = options.base && i < options.base.layers ? options.base.seed : (options.seed ?? "");
      const layer = await writeLayer(dir, `${seed}|${name}|${i}`, i, options.layerSize ?? 1024);
      diffIds.push(layer.diffId);
      layers.push({ mediaType: types.layer, digest: layer.digest, size: layer.size });
    }
    const config = await writeJson(dir, types.config, configOf(platform, diffIds));
    const manifest = { schemaVersion: 2, mediaType: types.manifest, config, layers };
    manifests.push({ ...(await writeJson(dir, types.manifest, manifest)), platform });
    blobs.push(config, ...layers);
  }
  const [first] = manifests;
  if (first === undefined) throw new Error("an image needs a platform");
  const index = { schemaVersion: 2, mediaType: types.index, manifests };
  const root = options.platforms
    ? await writeJson(dir, types.index, index)
    : { mediaType: first.mediaType, digest: first.digest, size: first.size };
  await addTag(dir, root, options.tag ?? "latest");
  return { root, manifests, blobs };
}

function configOf(platform: Readonly<Record<string, string>>, diffIds: readonly string[]): unknown {
  const created = "2024-01-01T00:00:00Z";
  return {
    created,
    ...platform,
    config: {
      Env: ["PATH=/usr/bin"],
      Cmd: ["/bin/true"],
      Labels: { "org.opencontainers.image.title": "made for a test" },
    },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: diffIds.map((_, i) => ({ created, created_by: `layer ${i}` })),
  };
}

async function writeLayer(
  dir: string,
  seed: string,
  number: number,
  size: number,
): Promise<{ diffId: string; digest: string; size: number }> {
  const tar = pack();
  const mtime = new Date(0);
  const fill = async (): Promise<void> => {
    tar.entry({ name: "opt/", type: "directory", mtime });
    await pipeline(content(seed, size), tar.entry({ name: `opt/layer-${number}.bin`, size, mtime }));
    tar.finalize();
  };
  const plain = createHash("sha256");
  const packed = createHash("sha256");
  const temporary = join(dir, "blobs", `layer-${process.pid}-${number}.tmp`);
  const stored = pipeline(
    Readable.from(tar),
    tap(plain),
    createGzip({ level: 0 }), // The content does not compress: trying would take most of the time.
    tap(packed),
    createWriteStream(temporary),
  );
  await Promise.all([fill(), stored]);
  const hex = packed.digest("hex");
  const path = join(dir, "blobs", "sha256", hex);
  await rename(temporary, path);
  return { diffId: `sha256:${plain.digest("hex")}`, digest: `sha256:${hex}`, size: (await stat(path)).size };
}

/** Bytes that look random and depend on the seed alone. */
function* content(seed: string, size: number): Generator<Buffer> {
  const key = createHash("sha256").update(seed).digest();
  const stream = createCipheriv("aes-128-ctr", key.subarray(0, 16), key.subarray(16));
  const zeros = Buffer.alloc(1 << 18);
  for (let left = size; left > 0; left -= zeros.length) {
    yield stream.update(left < zeros.length ? zeros.subarray(0, left) : zeros);
  }
}

function tap(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

async function writeJson(dir: string, mediaType: string, value: unknown): Promise<Made> {
  const bytes = Buffer.from(JSON.stringify(value));
  const hex = createHash("sha256").update(bytes).digest("hex");
  await writeFile(join(dir, "blobs", "sha256", hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

interface Index {
  readonly schemaVersion: 2;
  readonly manifests: readonly (Made & { readonly annotations?: Readonly<Record<string, string>> })[];
}

async function addTag(dir: string, root: Made, tag: string): Promise<void> {
  const key = "org.opencontainers.image.ref.name";
  const path = join(dir, "index.json");
  const text = await readFile(path, "utf8").catch(() => undefined);
  const before: Index = text === undefined ? { schemaVersion: 2, manifests: [] } : JSON.parse(text);
  const others = before.manifests.filter(({ annotations }) => annotations?.[key] !== tag);
  const manifests = [...others, { ...root, annotations: { [key]: tag } }];
  await writeFile(path, JSON.stringify({ ...before, manifests }));
  await writeFile(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}
