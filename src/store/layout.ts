import { algorithmOf, digestOf } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { verified } from "../oci/stream.ts";
import { abortable, throwIfAborted } from "../oci/abort.ts";
import { bytesOf, directory, type Directory } from "./files/directory.ts";
import { doing } from "../files/file-error.ts";
import { withLock } from "../files/lock.ts";
import { changeQueue, type Change } from "./layout/change-queue.ts";
import * as document from "./layout/index-document.ts";
import { blobPath, layoutSource } from "./layout/layout-source.ts";
import { layoutNaming } from "./layout/naming.ts";
import type { LocalStore } from "./local-store.ts";
import { turns } from "./turns.ts";

export interface LayoutOptions {
  /** How long to wait for another process that changes the layout, in milliseconds: half a minute unless told. */
  readonly lockTimeout?: number;
}

/**
 * An OCI image layout in a directory (image-spec, "Image Layout"), created when something is put into it. Tags are the
 * names in its index.json; a manifest put without one is listed there until an index that needs it is. Every change is
 * complete and on disk, or not there, whatever is killed when; several processes may change it at once. Deleting removes a
 * manifest's entries and its own file: its blobs stay, as somebody may just be putting an image that needs them.
 */
export function layoutStore(path: string, options: LayoutOptions = {}): LocalStore {
  const files = directory(path);
  const name = `oci:${path}`;
  const index = indexFile(files, options);
  const inTurn = turns();
  const source = layoutSource({
    name,
    naming: layoutNaming,
    index: () => index.read(),
    size: (digest) => files.size(blobPath(digest)),
    stream: (digest, how) => files.stream(blobPath(digest), how),
  });

  return {
    name,
    ...source,
    async putBlob({ digest, size }, content, call) {
      throwIfAborted(call?.signal);
      return inTurn(digest, async () => {
        throwIfAborted(call?.signal);
        const present = call?.replace ? undefined : await files.size(blobPath(digest));
        if (present !== undefined && (size === undefined || size === present)) return "exists";
        await index.create();
        await files.put(blobPath(digest), verified(abortable(await content(), call?.signal), { digest, size }));
        return "written";
      });
    },
    async putManifest(manifest, call) {
      throwIfAborted(call?.signal);
      const { digest } = manifest.descriptor;
      if (digestOf(manifest.bytes, algorithmOf(digest)) !== digest) {
        throw new RegistryError("DIGEST_INVALID", `the bytes of manifest ${digest} have another digest`);
      }
      if (call?.tag !== undefined) {
        layoutNaming.annotations(call.tag);
        await source.head(call.tag, call); // Throws where the name is that of several images: which one is to lose it?
      }
      await index.create();
      await index.change(async (current) => {
        if (!(await holds(blobPath(digest), manifest.bytes))) {
          await files.put(blobPath(digest), bytesOf(manifest.bytes));
        }
        return { document: document.listManifest(current, manifest, call?.tag, layoutNaming) };
      }, call?.signal);
    },
    async deleteTag(tag, call) {
      throwIfAborted(call?.signal);
      await existing(tag);
      await index.change(async (current) => {
        const next = document.unlistName(current, tag, layoutNaming);
        if (!next) throw unknown(tag);
        return { document: next };
      }, call?.signal);
    },
    async deleteManifest(digest, call) {
      throwIfAborted(call?.signal);
      await existing(digest);
      await index.change(async (current) => {
        if (!(await source.head(digest, call))) throw unknown(digest);
        return { document: document.unlistDigest(current, digest), after: () => files.remove(blobPath(digest)) };
      }, call?.signal);
    },
    checkPlace: () => checkVersion(files),
    flush: () => files.sync(),
    close: async () => {},
  };

  function unknown(ref: string): RegistryError {
    return new RegistryError("MANIFEST_UNKNOWN", `${ref} is not in ${name}`);
  }

  async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
    if ((await files.size(file)) !== bytes.byteLength) return false;
    return Buffer.compare((await files.read(file, bytes.byteLength)) ?? Buffer.of(), bytes) === 0;
  }

  /** Before a lock is taken: what is not there needs none, and a layout that is not there cannot have one. */
  async function existing(ref: string): Promise<void> {
    if (!(await source.head(ref))) throw unknown(ref);
  }
}

const versionFile = "oci-layout";
const version = { imageLayoutVersion: "1.0.0" };

interface IndexFile {
  read(): Promise<document.IndexDocument>;
  change(change: Change<document.IndexDocument>, signal?: AbortSignal): Promise<void>;
  /** Makes a layout of the directory where it is none. */
  create(): Promise<void>;
}

function indexFile(files: Directory, { lockTimeout }: LayoutOptions): IndexFile {
  const file = `${files.path}/index.json`;
  let created: Promise<void> | undefined;
  let checked = false;
  let last: { readonly version: string | undefined; readonly index: document.IndexDocument } | undefined;

  const read = async (): Promise<document.IndexDocument> => {
    if (!checked) await checkVersion(files);
    checked = true;
    const version = await files.version("index.json");
    if (last && last.version !== undefined && last.version === version) return last.index;
    const bytes = await files.read("index.json", document.indexLimit);
    const index = bytes ? document.parseIndex(bytes, file) : document.emptyIndex;
    last = { version, index };
    return index;
  };
  const write = async (next: document.IndexDocument): Promise<void> => {
    await files.sync();
    await files.put("index.json", bytesOf(document.formatIndex(next)));
    await files.sync();
  };
  const change = changeQueue<document.IndexDocument>((apply) => {
    const options = { what: `the layout ${files.path}`, ...(lockTimeout !== undefined && { timeout: lockTimeout }) };
    return doing(`change ${file}`, () =>
      withLock(`${file}.lock`, options, async () => {
        const current = await read();
        const next = await apply(current);
        if (next !== current) await write(next);
      }),
    );
  });
  const create = async (): Promise<void> => {
    if ((await files.size(versionFile)) === undefined) {
      await files.put(versionFile, bytesOf(JSON.stringify(version)));
    }
    if ((await files.size("index.json")) === undefined) {
      await change(async (current) => ({ document: { ...current } }));
    }
  };
  return {
    read,
    change,
    async create() {
      try {
        await (created ??= create());
      } catch (error) {
        created = undefined;
        throw error;
      }
    },
  };
}

/** Throws where the directory is a layout of a version that image-spec does not know, or no directory. */
async function checkVersion(files: Directory): Promise<void> {
  const bytes = await files.read(versionFile, 64 * 1024);
  if (!bytes) return;
  const file = `${files.path}/${versionFile}`;
  const { imageLayoutVersion } = document.parseJsonObject(bytes, file);
  if (imageLayoutVersion === version.imageLayoutVersion) return;
  throw new RegistryError(
    "UNSUPPORTED",
    `${file} names version ${JSON.stringify(imageLayoutVersion)} of the image layout`,
    {
      hint: `Gantry knows version ${version.imageLayoutVersion}, the only one so far`,
    },
  );
}
