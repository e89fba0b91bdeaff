import { RegistryError } from "../../oci/error.ts";
import { csvFields } from "./csv.ts";

/** What a tag is made of. */
export const ruleTypes = ["schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha"] as const;
export type RuleType = (typeof ruleTypes)[number];

/** A rule by which a tag is made: a line of docker/metadata-action's `tags`. */
export interface TagRule {
  readonly type: RuleType;
  /** As it was written. */
  readonly text: string;
  readonly priority: number;
  /** Its other attributes, defaults filled in. */
  readonly attributes: Readonly<Record<string, string>>;
}

interface TypeOf {
  readonly priority: number;
  readonly needs?: readonly string[];
  readonly defaults?: Readonly<Record<string, string>>;
  readonly choices?: readonly [attribute: string, values: readonly string[]];
}

/** https://github.com/docker/metadata-action#tags-input */
const types: Readonly<Record<RuleType, TypeOf>> = {
  schedule: { priority: 1000, defaults: { pattern: "nightly" } },
  semver: { priority: 900, needs: ["pattern"], defaults: { value: "", match: "" } },
  pep440: { priority: 900, needs: ["pattern"], defaults: { value: "", match: "" } },
  match: { priority: 800, needs: ["pattern"], defaults: { group: "0", value: "" } },
  edge: { priority: 700, defaults: { branch: "" } },
  ref: { priority: 600, needs: ["event"], choices: ["event", ["branch", "tag", "pr"]] },
  raw: { priority: 200, needs: ["value"] },
  sha: { priority: 100, defaults: { format: "short", prefix: "sha-" }, choices: ["format", ["short", "long"]] },
};
const common = ["enable", "priority", "prefix", "suffix"];

/** Reads a rule. Throws INVALID with what is wrong in it. */
export function parseTagRule(text: string): TagRule {
  if (text.includes("${{")) {
    throw invalid(text, "has an expression of GitHub's, which is known in its workflows alone", {
      hint: "write its value, or an expression such as {{is_default_branch}}",
    });
  }
  const attributes: Record<string, string> = {};
  for (const field of csvFields(text)) {
    const equals = field.indexOf("=", 1);
    if (equals < 0) attributes["value"] = field.trim();
    else attributes[field.slice(0, equals).trim().toLowerCase()] = field.slice(equals + 1).trim();
  }
  const { type = "raw", ...given } = attributes;
  if (!isRuleType(type))
    throw invalid(text, `has the type ${JSON.stringify(type)}`, { hint: `types are ${ruleTypes.join(", ")}` });
  const { priority, needs = [], defaults = {}, choices } = types[type];
  const lacking = needs.find((name) => !Object.hasOwn(given, name));
  if (lacking !== undefined) throw invalid(text, `needs ${lacking}=`);
  const known = [...needs, ...Object.keys(defaults), ...common];
  const stray = Object.keys(given).find((name) => !known.includes(name));
  if (stray !== undefined)
    throw invalid(text, `has ${JSON.stringify(stray)}, which is not known`, { hint: `there are ${known.join(", ")}` });
  const all: Readonly<Record<string, string>> = {
    ...defaults,
    ...(type === "ref" && given["event"] === "pr" && { prefix: "pr-" }),
    ...given,
  };
  if (choices && !choices[1].includes(all[choices[0]]!)) {
    throw invalid(text, `has ${choices[0]}=${all[choices[0]]}, and it has to be one of ${choices[1].join(", ")}`);
  }
  const [group = "0", rank = String(priority)] = [all["group"], all["priority"]];
  if (!/^\d{1,3}$/.test(group)) throw invalid(text, `has a group that is no number`);
  if (!/^-?\d{1,9}$/.test(rank)) throw invalid(text, "has a priority that is no number");
  return { type, text, priority: Number(rank), attributes: all };
}

const isRuleType = (type: string): type is RuleType => (ruleTypes as readonly string[]).includes(type);

function invalid(text: string, what: string, details: { readonly hint?: string } = {}): RegistryError {
  return new RegistryError("INVALID", `the rule ${JSON.stringify(text)} ${what}`, details);
}

/** The rules where none are given (https://github.com/docker/metadata-action#tags-input). */
export const actionDefaults: readonly string[] = [
  "type=schedule",
  "type=ref,event=branch",
  "type=ref,event=tag",
  "type=ref,event=pr",
];

/** The lines of a list as docker/metadata-action's inputs have it: none that is empty or starts with `#`. */
export function ruleLines(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
