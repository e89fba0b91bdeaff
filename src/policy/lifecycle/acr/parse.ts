import { day, selectionOf, type Parsed } from "../rules.ts";
import type { AcrDocument } from "./simulate.ts";

/** Reads a retention policy: it deletes what has had no tag for so many days. */
export function parseAcr({ days, status = "enabled" }: AcrDocument): Parsed {
  const deletion = {
    at: "days",
    selection: selectionOf("untagged"),
    scope: [],
    olderThan: days * day,
    countsExceptions: true,
    except: [],
  };
  const rules = { unit: "image", countsParts: true, deletions: status === "enabled" ? [deletion] : [] } as const;
  const message = "counts from when the last tag went, which other services do not: they count from the push";
  return { rules, losses: status === "enabled" ? [{ at: "days", message }] : [] };
}
