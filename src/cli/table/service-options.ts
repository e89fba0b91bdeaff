import { RegistryError, type Severity } from "../../index.ts";
import { flag, value, values, type Option } from "../option.ts";
import { parseBoolean, parseCount, parseNumber } from "../option-values.ts";

/** What `ls` can show beside tags. */
export const servicesOption: Option<boolean> = flag(
  "--services",
  "list the services that Gantry knows, what can be done there and in what they differ",
);
export const imagesOption: Option<boolean> = flag(
  "--images",
  "list images by digest, each with all its tags; those without a tag too, where the service tells",
);

export const create: Option<boolean> = flag(
  "--create",
  "create the repository first, at services where a push does not",
);

/** What the commands about repositories take. */
export const nameFilter: Option<RegExp | undefined> = value(
  "--filter <glob>",
  "only names that fit: * for any letters but /, ** for any, ? for one",
  parseGlob,
);
export const force: Option<boolean> = flag("--force", "delete a repository that is not empty, with all that is in it");
export const agree: Option<boolean> = flag("-y, --yes", "do it without asking");

/** What is said of immutability. */
export const tagsAre: Option<"mutable" | "immutable" | undefined> = value(
  "--tags <kind>",
  "whether tags may be moved: mutable or immutable",
  oneOf("mutable", "immutable"),
  { completes: ["mutable", "immutable"] },
);
export const except: Option<readonly string[]> = values(
  "--except <pattern>",
  "but for tags that fit this pattern; repeat for more",
  String,
);
export const patterns: Option<"wildcard" | "doublestar" | "regex" | undefined> = value(
  "--patterns <kind>",
  "how those are written, where the service takes several ways: wildcard, doublestar or regex",
  oneOf("wildcard", "doublestar", "regex"),
  { completes: ["wildcard", "doublestar", "regex"] },
);

const severities = [
  "critical",
  "high",
  "medium",
  "low",
  "negligible",
  "unknown",
] as const satisfies readonly Severity[];
export const severity: Option<readonly Severity[]> = values(
  "--severity <severity>",
  "only vulnerabilities of these: critical, high, medium, low, negligible, unknown; repeat, or join with commas",
  (text) => oneOf(...severities)(text.toLowerCase()),
  { separator: ",", completes: severities },
);

/** What a search takes. */
export const limit: Option<number | undefined> = value(
  "--limit <count>",
  "how many results at most (default: 25)",
  parseCount,
);
/** What `docker search` filters by. */
export interface SearchFilter {
  readonly official?: boolean;
  readonly automated?: boolean;
  readonly stars?: number;
}
export const searchFilters: Option<readonly SearchFilter[]> = values(
  "-f, --filter <filter>",
  "is-official=true, is-automated=true or stars=COUNT; repeat for more",
  parseSearchFilter,
  { completes: ["is-official=true", "is-automated=true", "stars="] },
);

function oneOf<T extends string>(...words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new RegistryError("INVALID", `${JSON.stringify(text)} is none of ${words.join(", ")}`);
  };
}

function parseSearchFilter(text: string): SearchFilter {
  const [name, given = ""] = text.split(/=(.*)/s);
  if (name === "is-official") return { official: parseBoolean(given) };
  if (name === "is-automated") return { automated: parseBoolean(given) };
  if (name === "stars") return { stars: parseNumber(given) };
  throw new RegistryError("INVALID", `there is no filter ${JSON.stringify(text)}`, {
    hint: "write is-official=true, is-automated=true or stars=COUNT",
  });
}

/** Reads a pattern for names of repositories. */
function parseGlob(text: string): RegExp {
  if (text === "") throw new RegistryError("INVALID", "the pattern is empty: no name fits it");
  const parts = text.match(/\*\*|[*?]|[^*?]+/g) ?? [];
  const wild: Readonly<Record<string, string>> = { "**": ".*", "*": "[^/]*", "?": "[^/]" };
  const literal = (part: string): string => part.replace(/[.\\+^$(){}|[\]]/g, String.raw`\$&`);
  return new RegExp(`^${parts.map((part) => wild[part] ?? literal(part)).join("")}$`, "s");
}
