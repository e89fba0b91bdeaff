import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { objectsIn, textOf } from "../answers.ts";
import type { Immutability } from "../service.ts";
import type { GitLab } from "./api.ts";

/** A rule that protects tags of a project; GitLab shows by GraphQL alone which make them immutable. */
interface Rule {
  readonly id: string;
  readonly pattern: string;
  readonly immutable: boolean;
}

const everything = ".*";
const mostRules = 5;
const longestPattern = 100;

const list = `query($path: ID!) { project(fullPath: $path) {
  containerProtectionTagRules(first: 100) { nodes { id tagNamePattern immutable } } } }`;
const create = `mutation($input: createContainerProtectionTagRuleInput!) {
  createContainerProtectionTagRule(input: $input) { errors } }`;
const remove = `mutation($input: DeleteContainerProtectionTagRuleInput!) {
  deleteContainerProtectionTagRule(input: $input) { errors } }`;

/** Which tags of a project cannot be moved or deleted by anybody. */
export async function immutabilityOf(api: GitLab, path: string, call?: Call): Promise<Immutability> {
  const rules = await rulesOf(api, path, call);
  const patterns = rules.filter(({ immutable }) => immutable).map(({ pattern }) => pattern);
  const scope = `project ${path}`;
  if (patterns.some((pattern) => /^\^?\.\*\$?$/.test(pattern))) return { tags: "immutable", scope };
  if (patterns.length === 0) return { tags: "mutable", scope };
  return { tags: "mutable", except: patterns, patterns: "regex", scope };
}

/**
 * Makes the rules of a project what is asked for, and leaves those that only ask for a role. New ones come first, as far
 * as GitLab's 5 rules leave room, so that no tag is without protection meanwhile.
 */
export async function setImmutability(api: GitLab, path: string, wanted: Immutability, call?: Call): Promise<void> {
  const patterns = patternsFor(wanted, path);
  const rules = await rulesOf(api, path, call);
  const surplus = rules.filter(({ immutable, pattern }) => immutable && !patterns.includes(pattern));
  const missing = patterns.filter((pattern) => !rules.some((rule) => rule.immutable && rule.pattern === pattern));
  if (rules.length - surplus.length + missing.length > mostRules) {
    throw new RegistryError("INVALID", `project ${path} would have more than ${mostRules} rules for tags`, {
      hint: "put patterns together: `^v|^release-`",
    });
  }
  const add = async (): Promise<void> => {
    for (const pattern of missing) {
      const input = { projectPath: path, tagNamePattern: pattern };
      await change(api, `make tags of ${path} immutable`, create, input, call);
    }
  };
  if (rules.length + missing.length <= mostRules) await add();
  for (const { id } of surplus) await change(api, `remove a rule for tags of ${path}`, remove, { id }, call);
  if (rules.length + missing.length > mostRules) await add();
}

/** What immutability is in GitLab's terms: regular expressions (RE2) of the tags that are immutable. */
function patternsFor({ tags, except = [], patterns = "regex" }: Immutability, path: string): readonly string[] {
  if (tags === "immutable" && except.length > 0) {
    throw new RegistryError("INVALID", `GitLab cannot make all tags of ${path} immutable but some`, {
      hint: "name those that are immutable, as exceptions from mutable ones",
    });
  }
  const wanted =
    tags === "immutable" ? [everything] : except.map((text) => (patterns === "regex" ? text : regexOf(text)));
  const long = wanted.find((pattern) => pattern === "" || pattern.length > longestPattern);
  if (long === undefined) return [...new Set(wanted)];
  throw new RegistryError(
    "INVALID",
    `GitLab takes patterns of 1 to ${longestPattern} characters, not ${JSON.stringify(long)}`,
  );
}

function regexOf(wildcard: string): string {
  const parts = wildcard.split(/\*+/).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return `^${parts.join(".*")}$`;
}

async function rulesOf(api: GitLab, path: string, call?: Call): Promise<readonly Rule[]> {
  const { project } = await api.query(`read the rules for tags of ${path}`, list, { path }, call);
  if (!isObject(project)) {
    throw new RegistryError("NAME_UNKNOWN", `there is no project ${path}`, { hint: "or this login may not see it" });
  }
  const rules = isObject(project["containerProtectionTagRules"]) ? project["containerProtectionTagRules"]["nodes"] : [];
  return objectsIn(rules).flatMap(({ id, tagNamePattern, immutable }) => {
    const pattern = textOf(tagNamePattern);
    return typeof id === "string" && pattern !== undefined ? { id, pattern, immutable: immutable === true } : [];
  });
}

/** A mutation tells what is wrong with its input in a list of its own. */
async function change(api: GitLab, what: string, mutation: string, input: object, call?: Call): Promise<void> {
  const data = await api.query(what, mutation, { input }, call);
  const [result] = Object.values(data);
  const [wrong] = isObject(result) && Array.isArray(result["errors"]) ? (result["errors"] as readonly unknown[]) : [];
  if (wrong !== undefined)
    throw new RegistryError("INVALID", `cannot ${what}: GitLab answered: ${textOf(wrong) ?? "no"}`);
}
