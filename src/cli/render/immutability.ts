import type { Immutability } from "../../index.ts";

/** Which tags can be moved, in one line: `immutable, but for dev-*; for project library`. */
export function immutabilityWords({ tags, except = [], scope }: Immutability): string {
  const but = except.length > 0 ? `, but for ${except.join(", ")}` : "";
  return `${tags}${but}${scope === undefined ? "" : `; for ${scope}`}`;
}
