import { RegistryError } from "../../oci/error.ts";
import { readRegex } from "../lifecycle/regex.ts";
import type { Version } from "../version.ts";

/** Which stream a tag is of, by what the groups of a regular expression find in it; undefined for a tag that it does not fit. */
export type StreamOf = (tag: string) => string | undefined;

/** Reads the regular expression of a `per`. Throws INVALID with what is wrong in it. */
export function readStreams(per: string): StreamOf {
  const [, regex] = /^\/(.+)\/$/s.exec(per) ?? [];
  if (regex === undefined || !/\((?!\?(?!P?<[^=!]))/.test(regex.replace(/\\./g, ""))) {
    throw new RegistryError(
      "INVALID",
      `${JSON.stringify(per)} is none of major, minor and a regular expression with a group: /^(\\w+)-\\d+$/`,
    );
  }
  const expression = readRegex(regex, per);
  return (tag) => {
    const found = expression.exec(tag);
    return found ? JSON.stringify(found.slice(1)) : undefined;
  };
}

/**
 * The stream of versions that a tag is of: those with the same prefix and, numbers apart, the same ending, so that
 * pre-releases and variants (`-alpine`) never take the places of releases.
 */
export function versionStream({ tag, prefix, semver }: Version, per?: "major" | "minor"): string {
  const numbers = per === undefined ? [] : per === "major" ? [semver.major] : [semver.major, semver.minor];
  const ending = /^[^-_+]*(.*)$/.exec(tag.slice(prefix.length))![1]!.replace(/\d+/g, "0");
  return [prefix, numbers.join("."), ending].join("|");
}
