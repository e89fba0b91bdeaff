import { parse, valid } from "semver";
import { RegistryError } from "../../oci/error.ts";
import { readRegex } from "../lifecycle/regex.ts";
import { branchOf, gitTagOf, isDefaultBranch, pullRequestOf, shortSha, type BuildContext } from "./context.ts";
import type { Flavor } from "./flavor.ts";
import { formatMoment } from "./moment.ts";
import { parsePep440 } from "./pep440.ts";
import type { RuleType, TagRule } from "./rule.ts";
import { asTag } from "./as-tag.ts";
import { fillTemplate, isRawTemplate, type Expression } from "./template.ts";

/** A tag, and where it is from. */
export interface MadeTag {
  readonly tag: string;
  /** The rule, as it was written. */
  readonly rule: string;
}

export interface MadeTags {
  /** The most important one first: it is what the image is called. */
  readonly tags: readonly MadeTag[];
  /** What is likely not meant: a git tag that is no version, a name that had to be cut. */
  readonly notes: readonly string[];
}

/** What a rule gives: a text before prefix and suffix, and whether `latest` goes with it by itself. */
type Given = { readonly text: string; readonly latest: boolean } | undefined;

interface Making {
  readonly context: BuildContext;
  readonly now: Date;
  readonly note: (text: string) => undefined;
  /** Fills in the expressions that are known everywhere. */
  readonly fill: (template: string) => string;
}

/**
 * The tags that rules make of a build, as docker/metadata-action does: by priority, each once, `latest` where the most important
 * one brings it or the flavor asks for it. All of them fit the grammar of tags. Throws INVALID for an expression that is not right.
 */
export function makeTags(rules: readonly TagRule[], flavor: Flavor, context: BuildContext, now: Date): MadeTags {
  const notes: string[] = [];
  const fill = (template: string): string => fillTemplate(template, globals(context, now));
  const made: MadeTag[] = [];
  let latest: { readonly is: boolean; readonly rule: string } | undefined;
  const add = (text: string, rule: string): void => {
    const { tag, fault } = asTag(text);
    if (fault !== undefined) notes.push(fault);
    if (tag !== undefined && !made.some((one) => one.tag === tag)) made.push({ tag, rule });
  };
  for (const rule of rules.toSorted((a, b) => b.priority - a.priority)) {
    const enable = fill(rule.attributes["enable"] ?? "true");
    if (enable !== "true" && enable !== "false") {
      throw new RegistryError(
        "INVALID",
        `the rule ${JSON.stringify(rule.text)}: enable is ${JSON.stringify(enable)}, and it has to be true or false`,
      );
    }
    if (enable === "false") continue;
    const note = (text: string): undefined => {
      notes.push(`${rule.text}: ${text}`);
    };
    const given = makers[rule.type](rule.attributes, { context, now, note, fill });
    if (!given) continue;
    const { prefix = flavor.prefix, suffix = flavor.suffix } = rule.attributes;
    const text = `${fill(prefix)}${given.text}${fill(suffix)}`;
    if (text === "") continue;
    add(text, rule.text);
    latest ??= { is: flavor.latest === "auto" ? given.latest : flavor.latest === "true", rule: rule.text };
  }
  if (latest?.is) {
    const name = `${flavor.prefixLatest ? flavor.prefix : ""}latest${flavor.suffixLatest ? flavor.suffix : ""}`;
    add(name, `latest=${flavor.latest}, with ${latest.rule}`);
  }
  return { tags: made, notes };
}

type Attributes = Readonly<Record<string, string>>;

const makers: Readonly<Record<RuleType, (attributes: Attributes, making: Making) => Given>> = {
  schedule({ pattern = "" }, { context, now }) {
    return /schedule/.test(context.event ?? "") ? other(fillTemplate(pattern, dates(context, now))) : undefined;
  },
  semver(attributes, making) {
    const text = versionText(attributes, making);
    if (text === undefined) return undefined;
    if (!valid(text)) return making.note(`${text} is no version (https://semver.org/)`);
    const { pattern = "" } = attributes;
    const { raw, version, major, minor, patch, prerelease, build } = parse(text, { loose: true })!;
    const parts = { raw, version, major: `${major}`, minor: `${minor}`, patch: `${patch}` };
    const more = { prerelease: prerelease.join(","), build: build.join(",") };
    const isFinal = prerelease.length === 0;
    const template = isFinal || isRawTemplate(pattern) ? pattern : "{{version}}";
    return { text: fillTemplate(template, { ...parts, ...more }), latest: isFinal };
  },
  pep440(attributes, making) {
    const text = versionText(attributes, making);
    if (text === undefined) return undefined;
    const version = parsePep440(text);
    if (!version) return making.note(`${text} is no version (https://peps.python.org/pep-0440/)`);
    const { clean, release, isFinal } = version;
    const { pattern = "" } = attributes;
    if (!isFinal) return { text: isRawTemplate(pattern) ? text : clean, latest: false };
    const [major = 0, minor = 0, patch = 0] = release;
    const parts = { raw: text, version: clean, major: `${major}`, minor: `${minor}`, patch: `${patch}` };
    return { text: fillTemplate(pattern, parts), latest: true };
  },
  match({ pattern = "", group = "0", value = "" }, { context, note, fill }) {
    const text = value === "" ? gitTagOf(context) : fill(value);
    if (text === undefined) return undefined;
    const [, inner = pattern, flags = ""] = /^\/(.+)\/(.*)$/.exec(pattern) ?? [];
    const found = matched(text, inner, flags);
    if (!found) return note(`${pattern} does not match ${text}`);
    const part = found[Number(group)];
    return part === undefined ? note(`${pattern} has no group ${group} in ${text}`) : { text: part, latest: true };
  },
  edge({ branch = "" }, { context }) {
    const built = branchOf(context);
    return built !== undefined && built === (branch || context.defaultBranch) ? other("edge") : undefined;
  },
  ref({ event = "" }, { context }) {
    if (event === "tag") return given(gitTagOf(context), true);
    return given(event === "branch" ? branchOf(context) : pullRequestOf(context), false);
  },
  raw({ value = "" }, { fill }) {
    return other(fill(value));
  },
  sha({ format }, { context }) {
    return context.sha ? other(format === "long" ? context.sha : shortSha(context)) : undefined;
  },
};

const other = (text: string): Given => ({ text, latest: false });
const given = (text: string | undefined, latest: boolean): Given => (text === undefined ? undefined : { text, latest });

/** What a rule about versions reads: its value, else the git tag, and of that what its `match` takes out. */
function versionText({ value = "", match = "" }: Attributes, { context, fill, note }: Making): string | undefined {
  const text = value === "" ? gitTagOf(context) : fill(value);
  if (text === undefined || match === "") return text?.replaceAll("/", "-");
  const part = matched(text, match, "")?.[1];
  if (part === undefined) note(`${match} does not match ${text}`);
  return (part ?? text).replaceAll("/", "-");
}

function matched(text: string, pattern: string, flags: string): RegExpMatchArray | null {
  const checked = readRegex(pattern).source;
  try {
    return text.match(new RegExp(checked, flags.replace("g", "")));
  } catch (cause) {
    throw new RegistryError("INVALID", `${JSON.stringify(flags)} are no flags of a regular expression`, { cause });
  }
}

function dates({ committed }: BuildContext, now: Date): Readonly<Record<string, Expression>> {
  const at =
    (time: number): Expression =>
    (format, { tz = "UTC", ...stray }) => {
      const [name] = Object.keys(stray);
      if (name !== undefined) throw new RegistryError("INVALID", `a date has tz=, and no ${name}=`);
      return formatMoment(time, format || "YYYY-MM-DDTHH:mm:ssZ", tz);
    };
  return { date: at(now.getTime()), commit_date: at(committed ?? now.getTime()) };
}

function globals(context: BuildContext, now: Date): Readonly<Record<string, Expression>> {
  const isDefault = isDefaultBranch(context);
  return {
    branch: branchOf(context) ?? "",
    tag: gitTagOf(context) ?? "",
    sha: shortSha(context),
    base_ref: branchOf(context) === undefined ? (context.baseRef ?? "") : "",
    is_default_branch: `${isDefault}`,
    is_not_default_branch: `${!isDefault}`,
    ...dates(context, now),
  };
}
