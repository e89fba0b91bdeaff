import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** A file or directory in the one spelling that all others lead to: whole, and links followed as far as it is there. */
export function realPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const folder = dirname(whole);
    return folder === whole ? whole : join(realPath(folder), basename(whole));
  }
}
