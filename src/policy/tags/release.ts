import { parse, type SemVer } from "semver";
import { versionOf } from "../version.ts";

/** A tag that is a version, its variant taken apart from its pre-release: `1.2.3-rc.1-alpine` is 1.2.3-rc.1, of the variant `alpine`, as `alpine-1.2.3` is. */
export interface Release {
  readonly tag: string;
  readonly semver: SemVer;
  /** How many numbers the tag has: one with fewer than 3 moves on from version to version. */
  readonly parts: 1 | 2 | 3;
  readonly prefix: string;
  readonly variant: string;
}

const preRelease =
  /^(?:(?:alpha|beta|a|b|c|cr|rc|m|milestone|pre|preview|dev|snapshot|nightly|canary|next|ea)[.]?\d*(?:\.[0-9a-z]+)*|\d+(?:\.[0-9a-z]+)*)$/i;

/** Reads a tag as a release; undefined where it is no version. */
export function releaseOf(tag: string): Release | undefined {
  const version = versionOf(tag);
  if (!version) return undefined;
  const { major, minor, patch, prerelease } = version.semver;
  const [first = "", ...rest] = prerelease.join(".").split("-");
  const isPre = preRelease.test(first);
  const semver = parse(`${major}.${minor}.${patch}${isPre ? `-${first}` : ""}`);
  // A `v` before the number is no variant: v1.2 and 1.2.3 are of one line.
  const before = version.prefix.replace(/[-_]?v?[-_]?$/, "");
  const variant = [before, ...(isPre ? rest : [first, ...rest])].filter((part) => part !== "").join("-");
  return semver ? { tag, semver, parts: version.parts, prefix: version.prefix, variant } : undefined;
}

/** Whether one stands for the other: `1.2` for 1.2.3, of the same variant. */
export function covers(alias: Release, release: Release): boolean {
  const numbers = ({ semver: { major, minor, patch } }: Release): readonly number[] => [major, minor, patch];
  const [of, at] = [numbers(alias), numbers(release)];
  return alias.variant === release.variant && of.slice(0, alias.parts).every((number, i) => number === at[i]);
}

/** The variant that a tag such as `latest`, `latest-alpine` or `alpine-latest` is of; undefined for other tags. */
export function latestVariant(tag: string): string | undefined {
  const found = /^(?:(.+)[-_.])?latest(?:[-_.](.+))?$/.exec(tag);
  return found ? [found[1], found[2]].filter((part) => part !== undefined).join("-") : undefined;
}
