import { isDigest } from "../../oci/digest.ts";
import { isTag } from "../../oci/reference.ts";
import type { LifecycleMatch } from "../service.ts";

/**
 * The images that the log of a retention run marks for deletion: the rows of its table, `| Digest | Tag | Kind | Labels |
 * PushedTime | PulledTime | CreatedTime | Retention |`, whose last column says DEL. Labels may hold anything, bars too, so
 * that columns are counted from both ends; a row's further lines have no digest.
 */
export function parseRetentionLog(text: string): readonly LifecycleMatch[] {
  const found = new Map<string, LifecycleMatch>();
  for (const line of text.split("\n")) {
    const cells = /^\|.*\|\s*$/.test(line) ? line.trim().slice(1, -1).split("|") : [];
    if (cells.length < columns) continue;
    const [digest = "", tags = ""] = cells.map((cell) => cell.trim());
    if (!isDigest(digest) || cells.at(-1)!.trim() !== "DEL") continue;
    const pushed = momentOf(cells.at(-4)!.trim());
    found.set(digest, {
      digest,
      tags: tags.split(",").filter(isTag),
      ...(pushed !== undefined && { pushed }),
      action: "delete",
    });
  }
  return [...found.values()];
}

const columns = 8;

/** Go's `2006/01/02 15:04:05`, in the zone of the job service, which is UTC as Harbor ships it. */
function momentOf(cell: string): string | undefined {
  const [, date, time] = /^(\d{4}\/\d\d\/\d\d) (\d\d:\d\d:\d\d)$/.exec(cell) ?? [];
  const moment = Date.parse(`${date?.replaceAll("/", "-")}T${time}Z`);
  return Number.isNaN(moment) ? undefined : new Date(moment).toISOString();
}
