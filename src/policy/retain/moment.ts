import type { Held } from "../../graph/inventory.ts";
import type { Moment } from "./retention.ts";

/** Who says to have been built before that says nothing: reproducible builds say 1970, or 1980. */
const earliest = Date.UTC(2000, 0);

/** The moment of a manifest that counts; undefined where it is not known, or cannot be true. `useCreated` lets `created` stand in for `pushed`. */
export function momentOf(held: Held, by: Moment, useCreated: boolean): number | undefined {
  const created = held.created !== undefined && held.created >= earliest ? held.created : undefined;
  return by === "created" ? created : (held.pushed ?? (useCreated ? created : undefined));
}

/** What happened at the moment that counts. */
export const wordOf = ({ pushed }: Held, by: Moment): "pushed" | "built" =>
  by === "created" || pushed === undefined ? "built" : "pushed";
