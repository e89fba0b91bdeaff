import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";

/** A path as people write it, made absolute: `~/` is the home directory, and what is relative is so to `base`. */
export function homePath(written: string, { base, home }: { readonly base: string; readonly home: string }): string {
  return written === "~" || written.startsWith("~/") ? join(home, written.slice(1)) : resolve(base, written);
}

/** A path after all symbolic links; undefined where there is nothing. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
