import { parsePattern } from "../pattern.ts";
import { releaseOf } from "./release.ts";

/**
 * Whether a tag never moves, by patterns such as `v*`, `/^rel-.+$/` and `semver:*`. A range of versions is about tags with all three
 * numbers: `1.2` is there to move. Throws INVALID for what is no pattern.
 */
export function immutableBy(patterns: readonly string[]): (tag: string) => boolean {
  const fixed = patterns.map((text) => ({ pattern: parsePattern(text), isRange: text.startsWith("semver:") }));
  return (tag) => fixed.some(({ pattern, isRange }) => pattern.fits(tag) && (!isRange || releaseOf(tag)?.parts === 3));
}
