import type { Writable } from "node:stream";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { ByteStream } from "../../oci/stream.ts";
import { rejectSpecial } from "../../files/file-error.ts";
import { throwIfAborted } from "../../oci/abort.ts";
import type { LayoutSource } from "../layout/layout-source.ts";
import type { LocalStore } from "../local-store.ts";
import type { Call } from "../store.ts";
import { find, openArchive, versionOf, type ArchiveFile } from "./archive-file.ts";
import type { Predecessor } from "./carry.ts";
import { newArchive, type ArchiveFormat, type NewArchive } from "./new-archive.ts";

export interface ArchiveOptions {
  /** Where an archive at `-` is read from; it is kept in a temporary file meanwhile. */
  readonly stdin?: ByteStream;
  /** Where an archive at `-` is written to. */
  readonly stdout?: Writable;
}

/** What is at the path: nothing, or an archive. */
interface Old {
  readonly version: string | undefined;
  readonly opened?: { readonly archive: ArchiveFile; readonly source: LayoutSource };
}

/**
 * A repository in a tar archive. The first put begins a new archive, which takes the place of the file at `flush` with all
 * that this lists and no put has replaced, and is dropped by `close` without one; reads then see the new one. A file that
 * is no such archive, and not empty, is not replaced: INVALID; nor is one that was changed meanwhile: CONFLICT.
 */
export function archiveStore(name: string, path: string, format: ArchiveFormat, options: ArchiveOptions): LocalStore {
  let opening: Promise<Old> | undefined;
  let beginning: Promise<NewArchive> | undefined;

  async function openOld(signal: AbortSignal | undefined): Promise<Old> {
    if (path === "-" && !options.stdin) return { version: undefined };
    const version = path === "-" ? undefined : versionOf(await find(path));
    const archive = await openArchive(path, path === "-" ? options.stdin : undefined, signal);
    if (!archive) return { version };
    try {
      return { version, opened: { archive, source: await format.read(archive, name) } };
    } catch (error) {
      await archive.close();
      throw error;
    }
  }

  async function openOnce(call: Call | undefined): Promise<Old> {
    throwIfAborted(call?.signal);
    return retried((opening ??= openOld(call?.signal)), () => (opening = undefined));
  }

  /** What is read from: the new archive where one has been begun. */
  async function current(call: Call | undefined): Promise<LayoutSource | undefined> {
    throwIfAborted(call?.signal);
    return beginning ? (await beginning).source : (await openOnce(call)).opened?.source;
  }

  async function look<T>(call: Call | undefined, read: (source: LayoutSource) => Promise<T>): Promise<T | undefined> {
    const source = await current(call);
    return source && read(source);
  }

  /** What the new archive takes the place of. */
  async function predecessor(call: Call | undefined): Promise<Predecessor | undefined> {
    if (path === "-") return undefined;
    const found = await find(path);
    if (!found?.isDirectory())
      await rejectSpecial(path, `write to a file, or to standard output: ${name.slice(0, -path.length)}-`);
    if (found?.size === 0n) opening ??= Promise.resolve({ version: versionOf(found) });
    try {
      const { version, opened } = await openOnce(call);
      if (!opened) return { version };
      const { archive, source } = opened;
      if (archive.compression) {
        throw new RegistryError("INVALID", `${path} is compressed with ${archive.compression}, and would not stay so`, {
          hint: "write to another file, or decompress it first",
        });
      }
      return { version, archive: { ...source, ...(await format.contents(archive, source, name)) } };
    } catch (error) {
      if (!isRegistryError(error, "CORRUPT", "TOO_LARGE", "UNSUPPORTED", "UNVERIFIED")) throw error;
      throw new RegistryError(
        "INVALID",
        `${path} is there already, and is no archive that images can be added to: ${error.message}`,
        {
          cause: error,
          hint: `write to another file, or remove ${path} first`,
        },
      );
    }
  }

  async function begin(call: Call | undefined): Promise<NewArchive> {
    return newArchive(name, path === "-" ? options.stdout : path, format, await predecessor(call));
  }

  async function target(call: Call | undefined): Promise<NewArchive> {
    throwIfAborted(call?.signal);
    return retried((beginning ??= begin(call)), () => (beginning = undefined));
  }

  /** Deletes from a new archive; an old one stays as it is. */
  async function deleteFrom(
    ref: string,
    call: Call | undefined,
    act: (archive: NewArchive) => Promise<void>,
  ): Promise<void> {
    if (!(await look(call, (source) => source.head(ref, call)))) {
      throw new RegistryError("MANIFEST_UNKNOWN", `${ref} is not in ${name}`);
    }
    if (beginning) return act(await beginning);
    throw new RegistryError("UNSUPPORTED", `nothing can be deleted from ${name}: an archive is not changed in place`, {
      hint: "copy what you want to keep into a new archive, or all of it into an image layout (oci:DIRECTORY)",
    });
  }

  return {
    name,
    head: (ref, call) => look(call, (source) => source.head(ref, call)),
    manifest: (ref, call) => look(call, (source) => source.manifest(ref, call)),
    size: (digest, call) => look(call, (source) => source.size(digest, call)),
    async blob(digest, call) {
      const stream = await look(call, (source) => source.blob(digest, call));
      if (!stream) throw new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in ${name}`);
      return stream;
    },
    async *tags(call) {
      yield* (await current(call))?.tags(call) ?? [];
    },
    async *referrers(subject, call) {
      yield* (await current(call))?.referrers(subject, call) ?? [];
    },
    roots: async (call) => (await look(call, (source) => source.roots(call))) ?? [],
    putBlob: async (blob, content, call) => (await target(call)).putBlob(blob, content, call),
    putManifest: async (manifest, call) => (await target(call)).putManifest(manifest, call?.tag),
    deleteTag: (tag, call) => deleteFrom(tag, call, (archive) => archive.deleteTag(tag)),
    deleteManifest: (digest, call) => deleteFrom(digest, call, (archive) => archive.deleteManifest(digest)),
    async checkPlace(call) {
      await predecessor(call);
    },
    async flush(call) {
      await (await beginning)?.flush(call);
    },
    async close() {
      await (await beginning?.catch(() => undefined))?.close();
      const old = await opening?.catch(() => undefined);
      opening = undefined;
      await old?.opened?.archive.close();
    },
  };
}

/** The promise, forgotten where it fails, so that the next call tries again. */
async function retried<T>(promise: Promise<T>, forget: () => void): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    forget();
    throw error;
  }
}
