import { isDeepStrictEqual } from "node:util";
import { RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import type { ServiceContext } from "../provider.ts";
import type { Immutability, ServiceRegistry } from "../service.ts";
import type { Harbor, OpenHarbor } from "./api.ts";
import {
  formatRule,
  immutabilityOf,
  isSelected,
  parseRule,
  selectorOf,
  selectorsOf,
  type ImmutableRule,
} from "./immutable-rules.ts";
import { named, placeOf, projectPath } from "./place.ts";

const needs = "the role of a maintainer in the project";

/**
 * Immutability by the project's tag immutability rules: for one repository, by rules that name it; for a project, by rules
 * for all of its repositories. Rules that others made for more than that are left alone.
 */
export function harborImmutability(
  { host }: ServiceContext,
  open: OpenHarbor,
): Pick<ServiceRegistry, "immutability" | "setImmutability"> {
  return {
    async immutability(repository, call) {
      const { project, name } = placeOf(repository);
      const rules = (await readRules(open(repository, needs), project, call)).filter((rule) =>
        isSelected(rule.repositories, name),
      );
      const found = immutabilityOf(rules);
      if (!found) throw tangled(host, project, rules);
      const isShared = rules.some((rule) => rule.enabled && !isFor(rule, name));
      return { ...found, ...(isShared || name === "" ? { scope: `project ${project}` } : {}) };
    },
    setImmutability: (repository, wanted, call) =>
      setImmutability(host, open(repository, needs), repository, wanted, call),
  };
}

function rulesPath(project: string): string {
  return `${projectPath(project)}/immutabletagrules`;
}

async function readRules(harbor: Harbor, project: string, call: Call = {}): Promise<readonly ImmutableRule[]> {
  const what = `read the immutability rules of project ${project}`;
  const pages = harbor.lists(rulesPath(project), { ...call, what, headers: named });
  return (await Array.fromAsync(pages)).flat().flatMap((fields) => parseRule(fields) ?? []);
}

/** Whether a rule is for this repository (or for all, where the name is empty) and no other. */
function isFor({ repositories }: ImmutableRule, name: string): boolean {
  return isDeepStrictEqual(repositories, selectorOf(name));
}

/** New rules are there before old ones go, so that no tag is free in between. */
async function setImmutability(
  host: string,
  harbor: Harbor,
  repository: string,
  immutability: Immutability,
  call: Call = {},
): Promise<void> {
  const wanted = checked(immutability);
  const { project, name } = placeOf(repository);
  const rules = (await readRules(harbor, project, call)).filter((rule) => isSelected(rule.repositories, name));
  const others = rules.filter((rule) => !isFor(rule, name));
  const own = rules.filter((rule) => isFor(rule, name));
  const made = selectorsOf(wanted).map((tags): ImmutableRule => {
    const same = own.find((rule) => isDeepStrictEqual(rule.tags, tags));
    return { id: same?.id ?? 0, enabled: true, tags, repositories: selectorOf(name) };
  });
  if (!isSame(immutabilityOf([...others, ...made]), immutabilityOf(made))) throw heldByOthers(host, project, others);
  const request = { ...call, what: `set the immutability of ${repository}`, headers: named };
  for (const rule of made) {
    if (rule.id === 0) await harbor.send("POST", rulesPath(project), { ...request, body: formatRule(rule) });
    else if (!own.some(({ id, enabled }) => id === rule.id && enabled)) {
      await harbor.send("PUT", `${rulesPath(project)}/${rule.id}`, { ...request, body: formatRule(rule) });
    }
  }
  for (const { id } of own.filter((rule) => !made.some((kept) => kept.id === rule.id))) {
    await harbor.send("DELETE", `${rulesPath(project)}/${id}`, { ...request, accept: [200, 404] });
  }
}

function isSame(a: Immutability | undefined, b: Immutability | undefined): boolean {
  const plain = (one: Immutability | undefined): unknown => one && [one.tags, (one.except ?? []).toSorted()];
  return isDeepStrictEqual(plain(a), plain(b));
}

/** Tags have no slashes, so that wildcards mean what they mean in Harbor; regular expressions it has none. */
function checked(wanted: Immutability): Immutability {
  const { patterns, except = [] } = wanted;
  if (patterns === "regex") {
    throw new RegistryError("INVALID", "Harbor knows no regular expressions for tags", {
      hint: "write patterns with *, ? and {a,b}",
    });
  }
  for (const pattern of except) {
    const isPattern = /^[\w.*?[\]^{},!\\-]+$/.test(pattern) && !(except.length > 1 && /[{},]/.test(pattern));
    if (isPattern) continue;
    throw new RegistryError("INVALID", `${JSON.stringify(pattern)} is no pattern of tags that Harbor takes`, {
      hint: "write patterns with * and ?, one by one, or all of them as {a,b}",
    });
  }
  return wanted;
}

function namesOf(rules: readonly ImmutableRule[]): string {
  const told = rules
    .filter(({ enabled }) => enabled)
    .map(({ id, repositories: { excludes, pattern } }) => `${id} (repositories ${excludes ? "but " : ""}${pattern})`);
  return `rule${told.length === 1 ? "" : "s"} ${told.join(", ")}`;
}

function heldByOthers(host: string, project: string, others: readonly ImmutableRule[]): RegistryError {
  return new RegistryError("CONFLICT", `other rules of project ${project} decide here too: ${namesOf(others)}`, {
    host,
    hint: `change them in the project's policy, or set what holds for all of its repositories: ${project}`,
  });
}

function tangled(host: string, project: string, rules: readonly ImmutableRule[]): RegistryError {
  return new RegistryError(
    "CONFLICT",
    `the rules of project ${project} combine to more than tags and exceptions: ${namesOf(rules)}`,
    { host, hint: "read them in the project's policy: Tag Immutability" },
  );
}
