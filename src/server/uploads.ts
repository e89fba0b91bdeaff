import { hash, randomBytes } from "node:crypto";
import { algorithmOf, digester, type Digest, type DigestAlgorithm, type Digester } from "../oci/digest.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import type { ByteStream } from "../oci/stream.ts";
import type { BlobStorage, UploadFile } from "./storage/storage.ts";

/** Up to this size an upload stays in memory until it is committed: one write instead of a file that grows. */
const smallBlob = 1024 * 1024;
const minute = 60 * 1000;
const hour = 60 * minute;
/** An upload left alone for so long is given up. */
const lifetime = 24 * hour;

/** Who uploads where: an upload is found by its id together with these only. */
export interface UploadKey {
  readonly id: string;
  readonly repository: string;
  readonly user?: string;
}

interface Session {
  readonly name: string;
  digester: Digester;
  algorithm: DigestAlgorithm;
  /** What has come so far, while it is small; undefined once it is in storage. */
  pieces: Uint8Array[] | undefined;
  busy: boolean;
  touched: number;
}

/** An upload held for one request; nobody else can write to it until it is released. */
export interface HeldUpload {
  readonly size: number;
  /** Appends a stream: throws SIZE_INVALID, and gives the upload up, unless it has exactly `length` bytes where that is known. */
  append(stream: ByteStream, length?: number): Promise<void>;
  /** Checks the digest and makes it a blob; throws DIGEST_INVALID where the bytes have another. The upload is gone either way. */
  commit(digest: Digest): Promise<void>;
  discard(): Promise<void>;
  release(): void;
}

/** Uploads under way: a running digest each, bytes in memory while small, in storage after that. */
export interface Uploads {
  /** Starts an upload; returns its unguessable id. */
  start(repository: string, user: string | undefined, algorithm?: DigestAlgorithm): Promise<string>;
  /** How many bytes have come; undefined where there is no such upload of this user in this repository. */
  size(key: UploadKey): Promise<number | undefined>;
  /** Takes hold of an upload; throws BLOB_UPLOAD_INVALID (409) while another request has it. Undefined where there is none. */
  hold(key: UploadKey): Promise<HeldUpload | undefined>;
}

export interface UploadLimits {
  /** The most bytes that all uploads together keep in memory; past it they go to storage at once. */
  readonly memory?: number;
  /** The most uploads whose running digest is kept; past it the one left alone longest goes on from what is in storage. */
  readonly live?: number;
  /** Milliseconds of the epoch. */
  readonly now?: () => number;
}

/** Makes the uploads of a registry over its blob storage. */
export function uploadSessions(
  blobs: BlobStorage,
  { memory = 64 * 1024 * 1024, live = 4096, now = Date.now }: UploadLimits = {},
): Uploads {
  const sessions = new Map<string, Session>();
  let inMemory = 0;
  let swept = 0;

  /** Nobody waits for it, and what it could not remove is left for the next time. */
  function sweep(): void {
    if (now() - swept < 10 * minute) return;
    swept = now();
    for (const session of sessions.values()) {
      if (!session.busy && session.touched < now() - hour) park(session);
    }
    blobs.sweepUploads(now() - lifetime).catch(() => {});
  }

  /** Forgets a session; what it has in storage stays, what it has in memory does not. */
  function park(session: Session): void {
    inMemory -= sizeOf(session.pieces);
    session.pieces = undefined;
    sessions.delete(session.name);
  }

  function keep(session: Session): void {
    session.touched = now();
    sessions.delete(session.name);
    sessions.set(session.name, session);
    if (sessions.size <= live) return;
    for (const oldest of sessions.values()) {
      if (oldest.busy) continue;
      park(oldest);
      return;
    }
  }

  async function find({ id, repository, user }: UploadKey): Promise<Session | undefined> {
    const name = nameOf(id, repository, user);
    const known = sessions.get(name);
    if (known) return known;
    if ((await blobs.uploadSize(name)) === undefined) return undefined;
    const algorithm = "sha256";
    const session: Session = {
      name,
      algorithm,
      digester: await blobs.digestUpload(name, algorithm),
      pieces: undefined,
      busy: false,
      touched: 0,
    };
    const other = sessions.get(name);
    if (other) return other;
    keep(session);
    return session;
  }

  async function discard(session: Session): Promise<void> {
    const stored = session.pieces === undefined;
    park(session);
    if (stored) await blobs.removeUpload(session.name);
  }

  /** What came before the client broke off is kept; whatever else goes wrong, the upload is given up. */
  async function append(session: Session, stream: ByteStream, length: number | undefined): Promise<void> {
    let file: UploadFile | undefined;
    let fault: unknown;
    let came = 0;
    try {
      if (!session.pieces) file = await blobs.openUpload(session.name, session.digester.size);
      for await (const piece of stream) {
        came += piece.byteLength;
        if (length !== undefined && came > length) break;
        session.digester.update(piece);
        if (session.pieces && keepInMemory(session.pieces, session.digester.size, piece)) continue;
        file ??= await spill(session);
        const written = file.write(piece);
        if (written) await written;
      }
      if (length !== undefined && came !== length) throw wrongLength(length, came);
    } catch (error) {
      fault = error;
    }
    await file?.close().catch((error: unknown) => (fault = error));
    if (fault === undefined) return;
    if (!isRegistryError(fault, "NETWORK")) await giveUp(session);
    throw fault;
  }

  function keepInMemory(pieces: Uint8Array[], size: number, piece: Uint8Array): boolean {
    if (size > smallBlob || inMemory + piece.byteLength > memory) return false;
    pieces.push(piece);
    inMemory += piece.byteLength;
    return true;
  }

  async function spill(session: Session): Promise<UploadFile> {
    const file = await blobs.openUpload(session.name, 0);
    const pieces = session.pieces ?? [];
    inMemory -= sizeOf(pieces);
    session.pieces = undefined;
    for (const piece of pieces) await file.write(piece);
    return file;
  }

  async function commit(session: Session, digest: Digest): Promise<void> {
    const { pieces, name } = session;
    if (session.algorithm !== algorithmOf(digest)) {
      session.digester = pieces
        ? digestPieces(pieces, algorithmOf(digest))
        : await blobs.digestUpload(name, algorithmOf(digest));
    }
    const { size } = session.digester;
    const actual = session.digester.digest();
    if (actual !== digest) {
      await giveUp(session);
      throw new RegistryError("DIGEST_INVALID", `the ${size} bytes that came have the digest ${actual}, not ${digest}`);
    }
    try {
      if (pieces) await blobs.write(digest, pieces);
      else await (await blobs.openUpload(name, size)).commit(digest);
    } catch (error) {
      await giveUp(session);
      throw error;
    }
    park(session);
  }

  /** After a failure, which is what the caller is to hear of: not of what then could not be removed. */
  async function giveUp(session: Session): Promise<void> {
    await discard(session).catch(() => {});
  }

  return {
    async start(repository, user, algorithm = "sha256") {
      sweep();
      const id = randomBytes(20).toString("hex");
      const name = nameOf(id, repository, user);
      keep({ name, algorithm, digester: digester(algorithm), pieces: [], busy: false, touched: 0 });
      return id;
    },
    size: async (key) => (await find(key))?.digester.size,
    async hold(key) {
      const session = await find(key);
      if (!session) return undefined;
      if (session.busy) {
        throw new RegistryError("BLOB_UPLOAD_INVALID", "another request is writing to this upload", { status: 409 });
      }
      session.busy = true;
      return {
        get size() {
          return session.digester.size;
        },
        append: (stream, length) => append(session, stream, length),
        commit: (digest) => commit(session, digest),
        discard: () => discard(session),
        release() {
          session.busy = false;
          if (sessions.has(session.name)) keep(session);
        },
      };
    },
  };
}

/** Binds an id to repository and user: whoever has the id alone finds nothing. */
function nameOf(id: string, repository: string, user: string | undefined): string {
  return hash("sha256", `${id}\n${repository}\n${user ?? ""}`).slice(0, 40);
}

function digestPieces(pieces: readonly Uint8Array[], algorithm: DigestAlgorithm): Digester {
  const state = digester(algorithm);
  for (const piece of pieces) state.update(piece);
  return state;
}

function sizeOf(pieces: readonly Uint8Array[] | undefined): number {
  return pieces?.reduce((sum, piece) => sum + piece.byteLength, 0) ?? 0;
}

function wrongLength(length: number, came: number): RegistryError {
  return new RegistryError(
    "SIZE_INVALID",
    `${came > length ? "more bytes came" : `${came} bytes came`} than the ${length} that were announced`,
  );
}
