import { digester, type Digest } from "../../oci/digest.ts";
import { lostUpload } from "./fault.ts";
import type { BlobStorage, OpenStorage, Storage, StorageOptions } from "./storage.ts";
import { memoryMetadata } from "./memory-metadata.ts";

/** Keeps everything in memory until the process ends: for tests and throw-away registries. */
export function memoryStorage({ now = Date.now }: StorageOptions = {}): Storage {
  const opened: OpenStorage = { blobs: memoryBlobs(), metadata: memoryMetadata(now), close: async () => {} };
  return { open: async () => opened };
}

function memoryBlobs(): BlobStorage {
  const blobs = new Map<Digest, Uint8Array>();
  const uploads = new Map<string, { readonly pieces: Uint8Array[]; touched: number }>();

  return {
    size: (digest) => blobs.get(digest)?.byteLength,
    read(digest, size, { range } = {}) {
      const bytes = blobs.get(digest);
      if (bytes?.byteLength !== size) return undefined;
      return range ? bytes.subarray(range.start, range.end) : bytes;
    },
    async write(digest, pieces) {
      blobs.set(digest, Buffer.concat(pieces));
    },
    async openUpload(name, size) {
      const upload = uploads.get(name) ?? { pieces: [], touched: Date.now() };
      if (sizeOf(upload.pieces) !== size) throw lostUpload();
      uploads.set(name, upload);
      return {
        write(piece) {
          upload.pieces.push(piece);
          return undefined;
        },
        async close() {
          upload.touched = Date.now();
        },
        async commit(digest) {
          blobs.set(digest, Buffer.concat(upload.pieces));
          uploads.delete(name);
        },
      };
    },
    async uploadSize(name) {
      const upload = uploads.get(name);
      return upload && sizeOf(upload.pieces);
    },
    async digestUpload(name, algorithm) {
      const state = digester(algorithm);
      for (const piece of uploads.get(name)?.pieces ?? []) state.update(piece);
      return state;
    },
    async removeUpload(name) {
      uploads.delete(name);
    },
    async sweepUploads(before) {
      for (const [name, { touched }] of uploads) if (touched < before) uploads.delete(name);
    },
  };
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((size, piece) => size + piece.byteLength, 0);
}
