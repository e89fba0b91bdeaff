import { Range } from "semver";
import { expand } from "../../config/expand.ts";
import { readSize, readSpan } from "../../config/quantity.ts";
import { checked, faultyDocument, type Document } from "../../document/document.ts";
import type { Fault } from "../../document/fault.ts";
import { isObject } from "../../oci/descriptor.ts";
import { parsePattern, type Pattern } from "../pattern.ts";
import { parseBackup, type Backup } from "./backup.ts";
import { budgetOf, registryNamed, type Budget } from "./budget.ts";
import { parseFrom, type From } from "./origin.ts";
import { syncFileSchema } from "./schema.ts";
import type { Mapping, Prune, SyncFile, TagSet } from "./sync-file.ts";
import { parseTemplate, type Template } from "./template.ts";

/** A tag set whose patterns are read; `within` is in milliseconds. */
export interface TagRule {
  readonly include?: readonly Pattern[];
  readonly exclude: readonly Pattern[];
  readonly semver?: Range;
  readonly prereleases?: boolean;
  readonly newest?: number;
  readonly by?: NonNullable<TagSet["by"]>;
  readonly within?: number;
  readonly atLeast?: number;
}

export interface PruneRule extends Pick<Prune, "maxDelete" | "atLeast"> {
  readonly only?: readonly Pattern[];
  readonly protect: readonly Pattern[];
}

/** A mapping with the defaults in it, and all its texts read. */
export interface SyncRule {
  /** Its name, or else its place in the file: `sync[0]`. */
  readonly name: string;
  readonly from: readonly From[];
  readonly to: readonly Template[];
  readonly tags: readonly TagRule[];
  readonly platforms?: readonly string[];
  readonly referrers: boolean;
  readonly require: readonly string[];
  readonly immutable: readonly Pattern[];
  readonly overwrite: true | "error" | "keep";
  readonly prune?: PruneRule;
  readonly create: boolean;
  /** Bytes a second. */
  readonly limitRate?: number;
  readonly quotaReserve?: number;
  readonly backup?: Backup;
  /** What all mappings of its file may move in one run together. */
  readonly budget?: Budget;
  readonly schedule?: string;
  readonly timezone?: string;
  /** Milliseconds. */
  readonly jitter?: number;
}

/**
 * Reads a file of what is kept in sync, with variables in place of `${NAME}` where an environment is given. Throws INVALID with the place of what is wrong in it: a pattern, a name that is
 * there twice, sources whose images would all go to one place.
 */
export function parseSync(document: Document, env?: Environment): readonly SyncRule[] {
  const file = checked(syncFileSchema, env ? expanded(document, env) : document);
  const faults = [...namedTwice(file), ...paidTwice(file), ...file.sync.flatMap(faultsOf)];
  if (faults.length > 0) throw faultyDocument(document, faults);
  const budget = file.budget && { budget: budgetOf(file.budget) };
  return file.sync.map((mapping, i) => ({
    ...ruleOf({ ...file.defaults, ...mapping }, mapping.name ?? `sync[${i}]`),
    ...budget,
  }));
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The document with its variables put in. */
function expanded(document: Document, env: Environment): Document {
  const faults: Fault[] = [];
  const fill = (value: unknown, path: Fault["path"]): unknown => {
    if (Array.isArray(value)) return value.map((one, i) => fill(one, [...path, i]));
    if (isObject(value))
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one, [...path, key])]));
    if (typeof value !== "string") return value;
    const found = expand(value, env);
    if ("text" in found) return found.text;
    faults.push({ path, message: found.wrong });
    return value;
  };
  const value = fill(document.value, []);
  if (faults.length > 0) throw faultyDocument(document, faults);
  return { ...document, value };
}

function namedTwice({ sync }: SyncFile): readonly Fault[] {
  return sync.flatMap(({ name }, i) =>
    name !== undefined && sync.findIndex((other) => other.name === name) < i
      ? [{ path: ["sync", i, "name"], message: `${JSON.stringify(name)} is there twice` }]
      : [],
  );
}

/** Where a budget has one registry under two names. */
function paidTwice({ budget }: SyncFile): readonly Fault[] {
  const hosts = Object.keys(budget?.registries ?? {});
  const names = hosts.map(registryNamed);
  return hosts.flatMap((host, i) =>
    names.indexOf(names[i]) < i
      ? [{ path: ["budget", "registries", host], message: `${names[i]} is there twice` }]
      : [],
  );
}

const faultsOf = (mapping: Mapping, i: number): readonly Fault[] => [
  ...pilesUp(mapping, i),
  ...prunesNothing(mapping, i),
];

/** Where there is no registry to take anything away from. */
function prunesNothing({ to, prune = false }: Mapping, i: number): readonly Fault[] {
  if (prune === false || [to].flat().some((text) => !parseTemplate(text).isLocal)) return [];
  const message = "only in registries is anything taken away, and no destination is in one";
  return [{ path: ["sync", i, "prune"], message }];
}

/** Where several repositories would be copied into one. */
function pilesUp({ from, to }: Mapping, i: number): readonly Fault[] {
  const many = [from].flat().some((text) => parseFrom(text).kind === "pattern");
  if (!many) return [];
  return [to].flat().flatMap((text, j) => {
    const { uses } = parseTemplate(text);
    if (uses.has("repository") || uses.has("name")) return [];
    const path = ["sync", i, "to", ...(Array.isArray(to) ? [j] : [])];
    return [{ path, message: "a pattern of repositories needs {repository} or {name} in its destination" }];
  });
}

function ruleOf(mapping: Mapping, name: string): SyncRule {
  const { from, to, tags = [], platforms, prune, limitRate, jitter, backup } = mapping;
  const { quotaReserve, schedule, timezone } = mapping;
  return {
    name,
    from: [from].flat().map(parseFrom),
    to: [to].flat().map(parseTemplate),
    tags: tags.map(tagRule),
    referrers: mapping.referrers ?? true,
    require: mapping.require ?? [],
    immutable: (mapping.immutable ?? []).map(parsePattern),
    overwrite: mapping.overwrite ?? true,
    create: mapping.create ?? true,
    ...(platforms && { platforms }),
    ...(prune !== undefined && prune !== false && { prune: pruneRule(prune === true ? {} : prune) }),
    ...(limitRate !== undefined && { limitRate: readSize(limitRate)! }),
    ...(quotaReserve !== undefined && { quotaReserve }),
    ...(backup !== undefined && { backup: parseBackup(backup) }),
    ...(schedule !== undefined && { schedule }),
    ...(timezone !== undefined && { timezone }),
    ...(jitter !== undefined && { jitter: readSpan(jitter)! }),
  };
}

function tagRule({ include, exclude = [], semver, within, ...rest }: TagSet): TagRule {
  const options = { loose: true, includePrerelease: rest.prereleases ?? false };
  return {
    ...rest,
    exclude: exclude.map(parsePattern),
    ...(include && { include: include.map(parsePattern) }),
    ...(semver !== undefined && { semver: new Range(semver, options) }),
    ...(within !== undefined && { within: readSpan(within)! }),
  };
}

function pruneRule({ only, protect = [], ...rest }: Prune): PruneRule {
  return { ...rest, protect: protect.map(parsePattern), ...(only && { only: only.map(parsePattern) }) };
}
