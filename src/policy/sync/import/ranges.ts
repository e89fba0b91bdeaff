import { Range } from "semver";
import type { TagSet } from "../sync-file.ts";

/** What is no version to other tools, though it may be one here: `release-1.2`. */
const notVersion = "/(?!v?[0-9]).*/";

const readable = (range: string): boolean => {
  try {
    return new Range(range).raw !== undefined;
  } catch {
    return false;
  }
};

/** Tags by a range of Masterminds/semver (skopeo) or blang/semver (dregsy), which both write `!=`; undefined where it cannot be said. */
export function rangeSet(text: string, withPrereleases = false): TagSet | undefined {
  const spaced = text.replaceAll(",", " ").replaceAll("=>", ">=").replaceAll("=<", "<=").replace(/==/g, "=").trim();
  const not = [...spaced.matchAll(/!=?\s*([^\s|]+)/g)].map(([, version]) => version!);
  if (not.length > 0 && spaced.includes("||")) return undefined;
  const semver = spaced.replace(/!=?\s*[^\s|]+/g, "").trim() || ">=0.0.0";
  if (![semver, ...not].every(readable)) return undefined;
  const prereleases = withPrereleases || (/\d-/.test(semver) && !/\s-\s/.test(semver));
  return {
    semver: semver.replace(/\s+/g, " ").replace(/([<>=~^])\s+/g, "$1"),
    exclude: [notVersion, ...not.map((version) => `semver:=${version}`)],
    ...(prereleases && { prereleases }),
  };
}

/** Tags by ranges of regsync, of which one has to fit: all comparisons are of whole versions, pre-releases are as others are. */
export function regsyncRanges(ranges: readonly string[]): TagSet | undefined {
  const said = ranges.filter((range) => range.trim() !== "").map((range) => regsyncRange(range.trim().split(/\s+/)));
  if (said.includes(undefined)) return undefined;
  return { semver: said.join(" || "), prereleases: true, exclude: [notVersion] };
}

function regsyncRange(parts: readonly string[]): string | undefined {
  const said = parts.map((part) => {
    const [, operator = "", a, b, c, rest = ""] =
      /^(\^|~|>=|<=|>|<|=)?v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[\w.-]+)?$/.exec(part) ?? [];
    if (a === undefined) return undefined;
    const [major, minor, patch] = [a, b ?? "0", c ?? "0"].map(Number) as [number, number, number];
    const version = `${major}.${minor}.${patch}${rest}`;
    if (operator === "~") return `>=${version} <${major}.${minor + 1}.0`;
    if (operator !== "^") return `${operator === "" ? "=" : operator}${version}`;
    const next = major > 0 ? `${major + 1}.0.0` : minor > 0 ? `0.${minor + 1}.0` : `0.0.${patch + 1}`;
    return `>=${version} <${next}`;
  });
  return said.includes(undefined) ? undefined : said.join(" ");
}

/** What all who import ranges say of them. */
export const rangeLoss =
  "tags of more than three numbers (1.2.3.4) and dates (20240101), which are versions there, are none here";
