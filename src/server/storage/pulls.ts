import type { Digest } from "../../oci/digest.ts";
import type { StoredManifest } from "./storage.ts";

/** A pull is noted where so many milliseconds have passed since the last that was. */
const apart = 60 * 60 * 1000;
/** What was noted is written after so many milliseconds, or once there is so much of it. */
const delay = 60 * 1000;
const most = 10_000;
/** So many are written at once: a transaction holds up all requests. */
const batch = 500;

export interface Pull {
  readonly repository: string;
  readonly digest: Digest;
  readonly pulled: number;
}

/** When manifests were pulled: kept in memory for a while, as noting it is on the way of every pull. */
export interface Pulls {
  /** Takes over what is written already of a manifest that was read. */
  know(manifest: StoredManifest, pulled: number): void;
  /** Takes note of a pull now, at most once in an hour; none where the last was later, by a clock that was set back since. */
  note(repository: string, manifest: StoredManifest): void;
  /** What was noted and is not written yet. */
  find(repository: string, digest: Digest): number | undefined;
  /** Drops what was noted of a manifest that is gone. */
  forget(repository: string, digest: Digest): void;
  /** Writes what was noted; what cannot be written is lost. */
  flush(): Promise<void>;
}

export function notedPulls(now: () => number, write: (pulls: readonly Pull[]) => Promise<void>): Pulls {
  const last = new WeakMap<StoredManifest, number>();
  const noted = new Map<string, Pull>();
  const keyOf = (repository: string, digest: Digest): string => `${repository} ${digest}`;
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    const entries = [...noted];
    for (let at = 0; at < entries.length; at += batch) {
      const some = entries.slice(at, at + batch);
      await write(some.map(([, pull]) => pull)).catch(() => {});
      for (const [key, pull] of some) if (noted.get(key) === pull) noted.delete(key);
    }
  }

  const start = (): Promise<void> => (flushing ??= writeAll().finally(() => (flushing = undefined)));

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    await flushing;
    await start();
  }

  return {
    know: (manifest, pulled) => void last.set(manifest, pulled),
    note(repository, manifest) {
      const before = last.get(manifest);
      const pulled = now();
      if (before !== undefined && pulled - before < apart) return;
      last.set(manifest, pulled);
      const { digest } = manifest.descriptor;
      noted.set(keyOf(repository, digest), { repository, digest, pulled });
      if (noted.size >= most) void start();
      timer ??= setTimeout(() => void flush(), delay).unref();
    },
    find: (repository, digest) => noted.get(keyOf(repository, digest))?.pulled,
    forget: (repository, digest) => void noted.delete(keyOf(repository, digest)),
    flush,
  };
}
