import type { FileHandle } from "node:fs/promises";
import { writeAll } from "./files.ts";

/** Pieces are collected up to this before they are written. */
const batchBytes = 1024 * 1024;
/** The disk is set to work every so many bytes, so that the sync at the end finds little left to do. */
const syncEvery = 32 * 1024 * 1024;

/** Appends to a file in the background: the next pieces are taken while the last are being written. */
export interface Appender {
  /** Takes a piece, and keeps it; the promise, where there is one, is to be awaited before the next. Throws what an earlier write threw. */
  append(piece: Uint8Array): Promise<void> | undefined;
  /** Resolves once everything is written. */
  finish(): Promise<void>;
}

/** Appends to a file from `position` on. */
export function appender(file: FileHandle, position: number): Appender {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let at = position;
  let synced = position;
  let writing: Promise<void> | undefined;
  let syncing: Promise<undefined> | undefined;
  let failure: { readonly error: unknown } | undefined;

  function write(): void {
    const batch = pieces;
    const from = at;
    at += bytes;
    pieces = [];
    bytes = 0;
    writing = writeAll(file, batch, from);
    // Whoever awaits it next gets the error; until then it must not count as unhandled.
    writing.catch(() => {});
    if (at - synced < syncEvery || syncing) return;
    synced = at;
    syncing = file
      .datasync()
      // The kernel tells of a page that it could not write once: the sync at the end may say that all is well.
      .catch((error: unknown) => (failure ??= { error }))
      .then(() => (syncing = undefined));
  }

  async function next(): Promise<void> {
    await writing;
    write();
  }

  return {
    append(piece) {
      pieces.push(piece);
      bytes += piece.byteLength;
      return bytes < batchBytes ? undefined : next();
    },
    async finish() {
      await writing;
      if (bytes > 0) write();
      await writing;
      await syncing;
      if (failure) throw failure.error;
    },
  };
}
