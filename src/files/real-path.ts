import { readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/**
 * A file or directory in the one spelling that all others lead to: whole, and links followed, be there something where they lead
 * or not. Of links in a circle, one of them.
 */
export function realPath(path: string, links = 40): string {
  try {
    return realpathSync.native(path);
  } catch {
    const folder = dirname(path);
    if (folder === path) return resolve(path);
    const whole = join(realPath(folder, links), basename(path));
    const link = links > 0 ? linkAt(whole) : undefined;
    return link === undefined ? whole : realPath(resolve(dirname(whole), link), links - 1);
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
