import { parse, type SemVer } from "semver";

/** A tag that is a version: `1.2.3`, `v1.2`, `1.2.3-rc.1`, `1.2.3_build` (a tag has no `+`), perhaps of a variant: `1.2.3-alpine`. */
export interface Version {
  readonly tag: string;
  readonly semver: SemVer;
  /** How many numbers the tag has: those of `1.2` are 2, and it is an alias that moves. */
  readonly parts: 1 | 2 | 3;
  /** What stands before the first number: `v`, `release-`, or nothing. */
  readonly prefix: string;
}

/** Reads a tag as a version; undefined where it is none. A date (`20260102`) is none. */
export function versionOf(tag: string): Version | undefined {
  const found = /^([a-zA-Z][a-zA-Z_-]*?-?)?(\d{1,7})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?([-_+].*)?$/.exec(tag);
  if (!found) return undefined;
  const [, prefix = "", major, minor, patch, rest = ""] = found;
  const suffix = rest.replace(/^[_+]/, "+").replaceAll("_", "-");
  const semver = parse(`${Number(major)}.${Number(minor ?? 0)}.${Number(patch ?? 0)}${suffix}`);
  const parts = minor === undefined ? 1 : patch === undefined ? 2 : 3;
  return semver ? { tag, semver, parts, prefix } : undefined;
}

/** Reads a tag as a version that has nothing but a `v` before it: `main-12` and `pr-1` are in no range. */
export const bareVersionOf = (tag: string): Version | undefined => (/^v?\d/.test(tag) ? versionOf(tag) : undefined);

/** Which is older, by semver; of equal ones, the one with fewer numbers, which moves on. */
export function compareVersions(a: Version, b: Version): number {
  return a.semver.compare(b.semver) || a.parts - b.parts;
}
