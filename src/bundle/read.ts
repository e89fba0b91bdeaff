import { readFile, stat } from "node:fs/promises";
import { isErrno } from "../files/file-error.ts";
import { digester, hexOf, isDigest, type Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { openArchive, type ArchiveFile } from "../store/archive/archive-file.ts";
import { archivedLayout, readArchiveIndex } from "../store/archive/layout-archive.ts";
import { blobPath, layoutSource } from "../store/layout/layout-source.ts";
import { layoutNaming } from "../store/layout/naming.ts";
import type { Call, Source, Store } from "../store/store.ts";
import { manifestFile, parseBundleManifest, sumsFile, type BundledImage, type BundleManifest } from "./manifest.ts";
import { fileDigest } from "./pack.ts";

/** A bundle that was found to be whole. */
export interface Bundle {
  readonly manifest: BundleManifest;
  /** What is in it of one image, to read: the image under its tag, and what is attached to it. */
  image(at: string): Source | undefined;
  /** The other repository, in full, that has a blob of an image, where the bundle leaves it out for that. */
  holder(at: string, blob: Digest): string | undefined;
  close(): Promise<void>;
}

const longestManifest = 256 * 1024 * 1024;

/**
 * Opens a bundle after a look at all of it: against `PATH.sha256` where that is there, else each member against the checksums
 * inside; and whether all that its images need is in it. Throws INVALID or CORRUPT for what is none, or not whole.
 */
export async function openBundle(path: string, call: Call = {}): Promise<Bundle> {
  const known = await besides(path);
  if (known !== undefined && hexOf(await fileDigest(path, call)) !== known) {
    throw corrupt(path, `it is not what ${path}.sha256 says`);
  }
  const archive = await openArchive(path, undefined, call.signal);
  if (!archive) throw noBundle(path);
  try {
    const manifest = await readManifest(archive, path);
    const sums = await readSums(archive, path);
    if (known === undefined) await checkMembers(archive, path, sums, call);
    for (const image of manifest.images) checkParts(archive, path, image, sums);
    const index = (await readArchiveIndex(archive, path))!;
    const all = layoutSource(archivedLayout(archive, path, layoutNaming, index));
    const byPlace = new Map(manifest.images.map((image) => [image.at, image]));
    return {
      manifest,
      image(at) {
        const image = byPlace.get(at);
        return image && imageSource(image, { ...all, name: path, close: async () => {} });
      },
      holder(at, blob) {
        const image = byPlace.get(at);
        return image && mountOf(image, blob);
      },
      close: () => archive.close(),
    };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

/** Reads what a bundle says that it is for; whether it is whole, `openBundle` looks. Throws INVALID or CORRUPT. */
export async function bundleManifest(path: string, { signal }: Call = {}): Promise<BundleManifest> {
  const archive = await openArchive(path, undefined, signal);
  if (!archive) throw noBundle(path);
  try {
    return await readManifest(archive, path);
  } finally {
    await archive.close();
  }
}

const noBundle = (path: string): RegistryError => new RegistryError("INVALID", `there is no bundle at ${path}`);

/** A source for one image alone: other images of the bundle do not show in it. */
function imageSource(image: BundledImage, all: Source): Source {
  const tags = new Map(Object.entries(image.digestTags));
  const parts = new Set(image.manifests);
  const resolve = (ref: string): Digest | undefined =>
    tags.get(ref) ?? (isDigest(ref) && parts.has(ref) ? ref : undefined);
  return {
    ...all,
    name: `${all.name}!${image.at}`,
    async head(ref, call) {
      const digest = resolve(ref);
      return digest && all.head(digest, call);
    },
    async manifest(ref, call) {
      const digest = resolve(ref);
      return digest && all.manifest(digest, call);
    },
    async blob(digest, call) {
      const isLeftOut = image.expects.includes(digest) || mountOf(image, digest) !== undefined;
      if (!isLeftOut) return all.blob(digest, call);
      throw new RegistryError("BLOB_UNKNOWN", `the bundle expects blob ${digest} of ${image.at} to be there already`, {
        hint: "write down what the destination has (gantry sync --record), and make another bundle with it",
      });
    },
    async *tags() {
      yield* tags.keys();
    },
    async *referrers(subject, call) {
      for (const digest of image.manifests) {
        const manifest = await all.manifest(digest, call);
        const fits = call?.artifactType === undefined || manifest?.descriptor.artifactType === call.artifactType;
        if (manifest?.subject?.digest === subject && fits) yield manifest.descriptor;
      }
    },
  };
}

/** The other repository that has a blob, which is not in the bundle for that. */
function mountOf({ mounts = {} }: BundledImage, blob: Digest): string | undefined {
  return Object.hasOwn(mounts, blob) ? mounts[blob] : undefined;
}

async function readManifest(archive: ArchiveFile, path: string): Promise<BundleManifest> {
  const bytes = await archive.read(manifestFile, longestManifest);
  if (!bytes) {
    throw new RegistryError("INVALID", `${path} is no bundle: it has no ${manifestFile}`, {
      hint: "gantry sync FILE --to BUNDLE makes one; a plain archive is copied with gantry copy",
    });
  }
  const name = `${path}/${manifestFile}`;
  try {
    return parseBundleManifest({ name, value: JSON.parse(Buffer.from(bytes).toString("utf8")) });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw corrupt(path, `its ${manifestFile} is no JSON`);
  }
}

async function readSums(archive: ArchiveFile, path: string): Promise<ReadonlyMap<string, string>> {
  const bytes = await archive.read(sumsFile, longestManifest);
  if (!bytes) throw corrupt(path, `it has no ${sumsFile}`);
  const lines = Buffer.from(bytes).toString("utf8").split("\n");
  const sums = lines.slice(0, -1).map((line) => /^([0-9a-f]{64}) {2}(\S+)$/.exec(line));
  if (lines.at(-1) !== "" || sums.includes(null)) throw corrupt(path, `its ${sumsFile} is damaged`);
  return new Map(sums.map((found) => [found![2]!, found![1]!]));
}

async function checkMembers(
  archive: ArchiveFile,
  path: string,
  sums: ReadonlyMap<string, string>,
  { signal }: Call,
): Promise<void> {
  for (const [name, wanted] of sums) {
    if (archive.size(name) === undefined) throw corrupt(path, `${name} is missing`);
    const state = digester();
    for await (const piece of archive.stream(name, { transient: true })) {
      signal?.throwIfAborted();
      state.update(piece);
    }
    if (hexOf(state.digest()) !== wanted) throw corrupt(path, `${name} is not what ${sumsFile} says`);
  }
}

function checkParts(archive: ArchiveFile, path: string, image: BundledImage, sums: ReadonlyMap<string, string>): void {
  for (const digest of [...image.manifests, ...image.blobs]) {
    const name = blobPath(digest);
    if (!sums.has(name) || archive.size(name) === undefined)
      throw corrupt(path, `${name}, a part of ${image.at}, is missing`);
  }
  if (!sums.has(manifestFile) || !sums.has("index.json"))
    throw corrupt(path, `its ${sumsFile} does not cover all of it`);
}

/** The checksum that stands beside a bundle; undefined where there is none. */
async function besides(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(`${path}.sha256`);
    const [, hex] = size > 4096 ? [] : (/^([0-9a-f]{64})(?:\s|$)/.exec(await readFile(`${path}.sha256`, "utf8")) ?? []);
    if (hex === undefined) throw corrupt(path, `${path}.sha256 is no checksum`);
    return hex;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function corrupt(path: string, what: string): RegistryError {
  return new RegistryError("CORRUPT", `${path} is damaged: ${what}`, { hint: "carry it over again" });
}

const mark = "bundle:";

/** Names an image in a bundle, in a plan. */
export const bundleLocation = (path: string, at: string): string => `${mark}${path}!${at}`;

/** Reads such a name; undefined for all others. */
export function parseBundleLocation(text: string): { readonly path: string; readonly at: string } | undefined {
  const end = text.lastIndexOf("!");
  if (!text.startsWith(mark) || end < 0) return undefined;
  return { path: text.slice(mark.length, end), at: text.slice(end + 1) };
}

/** Whether a plan names something in a bundle. */
export const isBundled = (text: string): boolean => parseBundleLocation(text) !== undefined;

/** Bundles that plans name: each is opened once, and looked at when something of it is first asked for. */
export interface Bundles {
  open(path: string, at: string): Store;
  /** As of a bundle. */
  holder(path: string, at: string, blob: Digest, call?: Call): Promise<string | undefined>;
  close(): Promise<void>;
}

export function bundles(): Bundles {
  const open = new Map<string, Promise<Bundle>>();
  const bundleAt = (path: string, call: Call | undefined): Promise<Bundle> => {
    const opened = open.get(path) ?? openBundle(path, call?.signal ? { signal: call.signal } : {});
    open.set(path, opened);
    return opened;
  };
  const imageAt = (path: string, at: string): Store => {
    const source = async (call: Call | undefined): Promise<Source> => {
      const found = (await bundleAt(path, call)).image(at);
      if (found) return found;
      throw new RegistryError("MANIFEST_UNKNOWN", `${at} is not in the bundle ${path}`);
    };
    const refuse = async (): Promise<never> => {
      throw new RegistryError("UNSUPPORTED", `${path} is a bundle, which is not changed`);
    };
    return {
      name: bundleLocation(path, at),
      head: async (ref, call) => (await source(call)).head(ref, call),
      manifest: async (ref, call) => (await source(call)).manifest(ref, call),
      size: async (blob, call) => (await source(call)).size(blob, call),
      blob: async (blob, call) => (await source(call)).blob(blob, call),
      async *tags(call) {
        yield* (await source(call)).tags(call);
      },
      async *referrers(subject, call) {
        yield* (await source(call)).referrers(subject, call);
      },
      putBlob: refuse,
      putManifest: refuse,
      deleteTag: refuse,
      deleteManifest: refuse,
      flush: async () => {},
      close: async () => {},
    };
  };
  return {
    open: imageAt,
    holder: async (path, at, blob, call) => (await bundleAt(path, call)).holder(at, blob),
    async close() {
      const opened = await Promise.allSettled(open.values());
      for (const one of opened) if (one.status === "fulfilled") await one.value.close();
      open.clear();
    },
  };
}
