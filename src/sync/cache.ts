import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import * as v from "valibot";
import { clearDrafts, draftPath } from "../files/drafts.ts";
import { isErrno, rejectSpecial } from "../files/file-error.ts";
import { makeDirectories } from "../files/make-directories.ts";
import { realPath } from "../files/real-path.ts";
import { isObject } from "../oci/descriptor.ts";
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
  /** Whether anything is remembered of this repository. */
  knows(place: string): boolean;
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
/** Many images have the same mark, which stands in the file once. */
const form = v.strictObject({
  gantry: v.literal("sync cache 2"),
  marks: v.array(v.string()),
  images: v.record(v.string(), v.tuple([digest, v.number(), v.number()])),
});
const longest = 1 << 28;

/** Opens a file of what was whole. One that is damaged, another's, or cannot be read is as good as none. */
export function openSyncCache(file: string, { now, ttl, onWarning }: SyncCacheOptions): SyncCache {
  const images = new Map<string, Verified>();
  const isFresh = ({ at }: Verified): boolean => now.getTime() - at < ttl && at <= now.getTime();
  for (const [at, verified] of read(file, onWarning)) if (isFresh(verified)) images.set(at, verified);
  let changed = false;
  let places: ReadonlySet<string> | undefined;
  return {
    find: (at) => images.get(at),
    knows(place) {
      places ??= new Set([...images.keys()].map((at) => at.replace(/[:@][^/]*$/, "")));
      return places.has(place);
    },
    note(at, verified) {
      images.set(at, verified);
      changed = true;
    },
    async save() {
      if (!changed) return;
      const marks = new Map<string, number>();
      const indexOf = (mark: string): number => marks.get(mark) ?? marks.set(mark, marks.size).size - 1;
      const entries = [...images].map(([at, one]) => [at, [one.digest, indexOf(one.mark), one.at]]);
      const found = { marks: [...marks.keys()], images: Object.fromEntries(entries) };
      const text = JSON.stringify({ gantry: "sync cache 2", ...found });
      await rejectSpecial(file);
      const target = realPath(file);
      const [folder, name] = [dirname(target), basename(target)];
      await makeDirectories(folder, 0o700);
      await clearDrafts(folder, name);
      const fresh = draftPath(folder, name);
      try {
        await writeFile(fresh, text, { mode: 0o600 });
        await rename(fresh, target);
      } finally {
        await rm(fresh, { force: true });
      }
    },
  };
}

/** Read at once: where there is nothing to do, it is all that a run reads. */
function read(file: string, onWarning: (text: string) => void): readonly (readonly [string, Verified])[] {
  let handle: number | undefined;
  try {
    handle = openSync(file, "r");
    const { uid, size } = fstatSync(handle);
    const user = process.getuid?.();
    if (user !== undefined && user !== 0 && uid !== user) throw new Error("it belongs to another user");
    if (size > longest) throw new Error("it is too long");
    const kept: unknown = JSON.parse(readFileSync(handle, "utf8"));
    if (isObject(kept) && kept["gantry"] === "sync cache 1") return [];
    const { marks, images } = v.parse(form, kept);
    return Object.entries(images).map(([at, [found, mark, time]]) => [
      at,
      { digest: found, mark: marks[mark] ?? "", at: time },
    ]);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    const why = v.isValiError(error) || error instanceof SyntaxError ? "it is damaged" : (error as Error).message;
    onWarning(`the cache ${file} is not used: ${why}`);
    return [];
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
