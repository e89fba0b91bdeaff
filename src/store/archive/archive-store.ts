import type { Writable } from "node:stream";
import { RegistryError } from "../../oci/error.ts";
import type { ByteStream } from "../../oci/stream.ts";
import { throwIfAborted } from "../../oci/abort.ts";
import type { LayoutSource } from "../layout/layout-source.ts";
import type { LocalStore } from "../local-store.ts";
import type { Call } from "../store.ts";
import { isBeingRead, openArchive, type ArchiveFile } from "./archive-file.ts";
import { newArchive, type ArchiveFormat, type NewArchive } from "./new-archive.ts";

export interface ArchiveOptions {
  /** Where an archive at `-` is read from; it is kept in a temporary file meanwhile. */
  readonly stdin?: ByteStream;
  /** Where an archive at `-` is written to. */
  readonly stdout?: Writable;
}

interface Opened {
  readonly archive: ArchiveFile;
  readonly source: LayoutSource;
}

/**
 * A repository in a tar archive. The first put begins a new archive, which takes the place of the file at `flush`, and is
 * dropped by `close` without one; reads then see the new one. An archive of which something was read, here or by another
 * store of this process, is not replaced: CONFLICT.
 */
export function archiveStore(name: string, path: string, format: ArchiveFormat, options: ArchiveOptions): LocalStore {
  let opening: Promise<Opened | undefined> | undefined;
  let beginning: Promise<NewArchive> | undefined;
  let seen = false;

  async function openOld(signal: AbortSignal | undefined): Promise<Opened | undefined> {
    if (path === "-" && !options.stdin) return undefined;
    const archive = await openArchive(path, path === "-" ? options.stdin : undefined, signal);
    if (!archive) return undefined;
    try {
      return { archive, source: await format.read(archive, name) };
    } catch (error) {
      await archive.close();
      throw error;
    }
  }

  /** What is read from: the new archive where one has been begun. */
  async function current(call: Call | undefined): Promise<LayoutSource | undefined> {
    throwIfAborted(call?.signal);
    if (beginning) return (await beginning).source;
    return (await retried((opening ??= openOld(call?.signal)), () => (opening = undefined)))?.source;
  }

  async function look<T>(call: Call | undefined, read: (source: LayoutSource) => Promise<T>): Promise<T | undefined> {
    const source = await current(call);
    const found = source && (await read(source));
    if (found !== undefined && !beginning) seen = true;
    return found;
  }

  async function begin(): Promise<NewArchive> {
    if (!seen) await closeOld();
    if (seen || (path !== "-" && (await isBeingRead(path)))) {
      throw new RegistryError("CONFLICT", `${name} is being read, and an archive is not changed in place`, {
        hint: "write to another file, or to an image layout (oci:DIRECTORY), which can be changed",
      });
    }
    return newArchive(name, path === "-" ? options.stdout : path, format);
  }

  async function closeOld(): Promise<void> {
    const old = await opening?.catch(() => undefined);
    opening = undefined;
    await old?.archive.close();
  }

  async function target(call: Call | undefined): Promise<NewArchive> {
    throwIfAborted(call?.signal);
    return retried((beginning ??= begin()), () => (beginning = undefined));
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
      for await (const tag of (await current(call))?.tags(call) ?? []) {
        seen ||= !beginning;
        yield tag;
      }
    },
    async *referrers(subject, call) {
      for await (const referrer of (await current(call))?.referrers(subject, call) ?? []) {
        seen ||= !beginning;
        yield referrer;
      }
    },
    roots: async (call) => (await look(call, (source) => source.roots(call))) ?? [],
    putBlob: async (blob, content, call) => (await target(call)).putBlob(blob, content, call),
    putManifest: async (manifest, call) => (await target(call)).putManifest(manifest, call?.tag),
    deleteTag: (tag, call) => deleteFrom(tag, call, (archive) => archive.deleteTag(tag)),
    deleteManifest: (digest, call) => deleteFrom(digest, call, (archive) => archive.deleteManifest(digest)),
    async flush() {
      await (await beginning)?.flush();
    },
    async close() {
      await closeOld();
      await (await beginning?.catch(() => undefined))?.close();
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
