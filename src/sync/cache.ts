import { hash } from "node:crypto";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import { isErrno } from "../files/file-error.ts";
import type { Digest } from "../oci/digest.ts";
import { isDigest } from "../oci/digest.ts";

/** What was found, or put, whole at a destination, and when: in milliseconds since 1970. */
export interface Verified {
  readonly digest: Digest;
  /** By what rules, and with what attached to it, as far as tags tell. */
  readonly mark: string;
  readonly at: number;
}

/** Remembers from run to run what was whole, so that nobody asks again; by the image's place, `mirror.example/app:1.0`. */
export interface SyncCache {
  find(at: string): Verified | undefined;
  note(at: string, verified: Verified): void;
  /** Throws where it cannot be written. */
  save(): Promise<void>;
}

export interface SyncCacheOptions {
  readonly now: Date;
  /** How long anything is believed, in milliseconds. */
  readonly ttl: number;
  /** Told why a file that is there is not used. */
  readonly onWarning: (text: string) => void;
}

const digest = v.custom<Digest>((value) => typeof value === "string" && isDigest(value), "is no digest");
const form = v.strictObject({
  gantry: v.literal("sync cache 1"),
  images: v.record(v.string(), v.tuple([digest, v.string(), v.number()])),
});
const longest = 1 << 28;

/** Opens a file of what was whole. One that is damaged, another's, or cannot be read is as good as none. */
export async function openSyncCache(file: string, { now, ttl, onWarning }: SyncCacheOptions): Promise<SyncCache> {
  const images = new Map<string, Verified>();
  const isFresh = ({ at }: Verified): boolean => now.getTime() - at < ttl && at <= now.getTime();
  for (const [at, verified] of await read(file, onWarning)) if (isFresh(verified)) images.set(at, verified);
  let changed = false;
  return {
    find: (at) => images.get(at),
    note(at, verified) {
      images.set(at, verified);
      changed = true;
    },
    async save() {
      if (!changed) return;
      const entries = [...images].map(([at, one]) => [at, [one.digest, one.mark, one.at]]);
      const text = JSON.stringify({ gantry: "sync cache 1", images: Object.fromEntries(entries) });
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const fresh = `${file}.${process.pid}.tmp`;
      try {
        await writeFile(fresh, text, { mode: 0o600 });
        await rename(fresh, file);
      } finally {
        await rm(fresh, { force: true });
      }
    },
  };
}

async function read(
  file: string,
  onWarning: (text: string) => void,
): Promise<readonly (readonly [string, Verified])[]> {
  try {
    await using handle = await open(file);
    const { uid, size } = await handle.stat();
    const user = process.getuid?.();
    if (user !== undefined && user !== 0 && uid !== user) throw new Error("it belongs to another user");
    if (size > longest) throw new Error("it is too long");
    const { images } = v.parse(form, JSON.parse(await handle.readFile("utf8")));
    return Object.entries(images).map(([at, [found, mark, time]]) => [at, { digest: found, mark, at: time }]);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    const why = v.isValiError(error) || error instanceof SyntaxError ? "it is damaged" : (error as Error).message;
    onWarning(`the cache ${file} is not used: ${why}`);
    return [];
  }
}

/** A short name for any data; equal data have equal names. */
export function markOf(...data: readonly unknown[]): string {
  return hash("sha256", JSON.stringify(data), "base64url").slice(0, 22);
}
