import { RegistryError } from "../../oci/error.ts";
import { readRegex } from "../lifecycle/regex.ts";
import { versionOf } from "../version.ts";

/** Which stream a tag is of; undefined for a tag that is of none. */
export type StreamOf = (tag: string) => string | undefined;

/** Reads what `per` says. Throws INVALID with what is wrong in it. */
export function readStreams(per: string): StreamOf {
  if (per === "major" || per === "minor") return (tag) => versionStream(tag, per);
  const [, regex] = /^\/(.+)\/$/s.exec(per) ?? [];
  if (regex === undefined || !/\((?!\?(?!P?<[^=!]))/.test(regex.replace(/\\./g, ""))) {
    throw new RegistryError(
      "INVALID",
      `${JSON.stringify(per)} is none of major, minor and a regular expression with a group: /^(\\w+)-\\d+$/`,
    );
  }
  const expression = readRegex(regex);
  return (tag) => {
    const found = expression.exec(tag);
    return found ? JSON.stringify(found.slice(1)) : undefined;
  };
}

/**
 * The stream of versions that a tag is of: those with the same prefix and, numbers apart, the same ending, so that
 * pre-releases and variants (`-alpine`) never take the places of releases. Undefined for a tag that is no version.
 */
export function versionStream(tag: string, per?: "major" | "minor"): string | undefined {
  const version = versionOf(tag);
  if (!version) return undefined;
  const { prefix, semver } = version;
  const numbers = per === undefined ? [] : per === "major" ? [semver.major] : [semver.major, semver.minor];
  const ending = /^[^-_+]*(.*)$/.exec(tag.slice(prefix.length))![1]!.replace(/\d+/g, "0");
  return [prefix, numbers.join("."), ending].join("|");
}
