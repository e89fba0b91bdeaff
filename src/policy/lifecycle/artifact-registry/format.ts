import { expandBraces } from "../doublestar.ts";
import { countWithExceptions, folded, losses, softened, tellUnit, withoutRedundant, type Losses } from "../fold.ts";
import {
  areApart,
  covers,
  coversScope,
  widened,
  type Deletion,
  type Exception,
  type FormatOptions,
  type Formatted,
  type Rules,
  type Scope,
  type Selection,
} from "../rules.ts";
import { globsOf } from "../tag-pattern.ts";
import { mostPolicies } from "./check.ts";
import type { CleanupPolicy, Condition } from "./document.ts";

/** A policy, and what it is about in no service's terms. */
interface Emitted {
  readonly policy: CleanupPolicy;
  readonly about: Deletion | Exception;
  /** The rule that it was made for. */
  readonly owner: Deletion;
}

/** Writes cleanup policies. A KEEP is for all repositories' images that it fits, whichever DELETE it was meant for. */
export function formatArtifactRegistry(rules: Rules, options: FormatOptions = {}): Formatted {
  const lost = losses();
  const simpleImages = options.simpleImages === true;
  tellUnit(rules, options, lost);
  let policies: Readonly<Record<string, CleanupPolicy>> = {};
  const emitted: Emitted[] = [];
  for (const deletion of softened(withoutRedundant(folded(rules.deletions)))) {
    const deletes = deletionPolicies(deletion, rules, simpleImages, lost);
    const keeps = deletes && keepsFor(deletion, rules, simpleImages, lost);
    if (!deletes || !keeps || isVoid([...emitted, ...deletes, ...keeps], deletion, lost)) continue;
    const next = named([...emitted, ...deletes, ...keeps]);
    if (Object.keys(next).length > mostPolicies) {
      lost.add(deletion.at, `is left out: it would make more than ${mostPolicies} policies`);
      continue;
    }
    policies = next;
    emitted.push(...deletes, ...keeps);
  }
  tellShared(emitted, lost);
  return { document: emitted.length > 0 ? { cleanupPolicies: policies } : undefined, losses: lost.all };
}

function named(emitted: readonly Emitted[]): Readonly<Record<string, CleanupPolicy>> {
  const texts = [...new Set(emitted.map(({ policy }) => JSON.stringify(policy)))];
  const counts = { DELETE: 0, KEEP: 0 };
  return Object.fromEntries(
    texts.map((text) => {
      const policy = JSON.parse(text) as CleanupPolicy;
      const id = `${policy.action.toLowerCase()}-${++counts[policy.action]}`;
      return [id, { id, ...policy }];
    }),
  );
}

/** Tells of what a KEEP leaves alone that it was not meant for. */
function tellShared(emitted: readonly Emitted[], lost: Losses): void {
  const owners = new Set(emitted.map(({ owner }) => owner));
  for (const { policy, about, owner } of emitted.filter((one) => one.policy.action === "KEEP")) {
    for (const other of owners) {
      const isMeant = other === owner || other.except.some(({ at }) => at === about.at && policy.condition);
      if (isMeant || areApart(about.selection, other.selection)) continue;
      lost.add(owner.at, `keeps what it does from ${other.at} too: here, what is kept is kept from all`);
    }
  }
}

/** Whether a KEEP leaves nothing of a DELETE, of this deletion or of one before it. */
function isVoid(emitted: readonly Emitted[], { at }: Deletion, lost: Losses): boolean {
  const keeps = emitted.filter(
    ({ policy }) => policy.action === "KEEP" && !policy.mostRecentVersions && !policy.condition?.newerThan,
  );
  const deletes = emitted.filter(({ policy }) => policy.action === "DELETE");
  const clash = deletes.some(({ about }) =>
    keeps.some((keep) => covers(keep.about.selection, about.selection) && coversScope(keep.about.scope, about.scope)),
  );
  if (clash) lost.add(at, "is left out: what it keeps would be kept from another rule too");
  return clash;
}

function deletionPolicies(
  deletion: Deletion,
  rules: Rules,
  simple: boolean,
  lost: Losses,
): readonly Emitted[] | undefined {
  const { at, selection, scope, olderThan, newerThan, beyond } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  const packages = prefixesOfScope(scope);
  if (!packages) return leftOut("is for repositories that no prefixes tell");
  if (rules.unit === "tag" && selection.tags.length > 0 && !simple) {
    return leftOut(
      "deletes single tags, and here other tags of the image would go too (--simple-images, if there are none)",
    );
  }
  const conditions = conditionsOf(selection, "exact");
  if (!conditions) return leftOut("selects tags by more than how they begin, which is all that can be said here");
  const keeps = beyond === undefined ? [] : keepNewest(deletion, rules, simple, packages, lost);
  if (!keeps) return undefined;
  const policies = conditions.map((condition): Emitted => {
    const ages = {
      ...(olderThan && { olderThan: `${olderThan}s` }),
      ...(newerThan !== undefined && { newerThan: `${newerThan}s` }),
    };
    return {
      about: deletion,
      owner: deletion,
      policy: { action: "DELETE", condition: { ...condition, ...packages, ...ages } },
    };
  });
  return [...policies, ...keeps];
}

type Packages = Pick<Condition, "packageNamePrefixes">;

function keepNewest(
  deletion: Deletion,
  rules: Rules,
  simple: boolean,
  packages: Packages,
  lost: Losses,
): readonly Emitted[] | undefined {
  const { at, selection } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  if (selection.state !== "any" || selection.tags.length > 0) {
    return leftOut("counts some images, and here only all versions can be counted");
  }
  if (!rules.countsParts && !simple) {
    return leftOut(
      "counts images, and here every manifest that they are made of counts (--simple-images, if there are none)",
    );
  }
  const keepCount = countWithExceptions(deletion, lost);
  if (keepCount === undefined) return leftOut("does not count what it keeps, and here all is counted");
  if (keepCount === 0) lost.add(at, "keeps none of the newest: here, one is kept at least");
  const policy: CleanupPolicy = {
    action: "KEEP",
    mostRecentVersions: { ...packages, keepCount: Math.max(1, keepCount) },
  };
  return [{ about: deletion, owner: deletion, policy }];
}

function keepsFor(deletion: Deletion, rules: Rules, simple: boolean, lost: Losses): readonly Emitted[] | undefined {
  const keeps: Emitted[] = [];
  for (const exception of deletion.except) {
    const { at, newest, within, by, selection } = exception;
    const isWhole = selection.state === "any" && selection.tags.length === 0;
    const packages = prefixesOfScope(exception.scope);
    const canCount =
      newest !== undefined && within === undefined && isWhole && (rules.countsParts || simple) && by === "push";
    if (canCount && packages) {
      keeps.push({
        about: exception,
        owner: deletion,
        policy: { action: "KEEP", mostRecentVersions: { ...packages, keepCount: Math.max(1, newest) } },
      });
      continue;
    }
    const isPlain = newest === undefined && by === "push" && exception.olderThan === undefined;
    if (!isPlain) lost.add(at, "keeps by what cannot be said here: all that it selects is kept");
    const kept = isPlain ? exception : widened(exception);
    if (covers(kept.selection, deletion.selection) && kept.within === undefined) {
      return lost.add(deletion.at, `is left out: what ${at} keeps is all of it, as far as can be said here`);
    }
    if (!packages) lost.add(at, "is for repositories that no prefixes tell: it keeps in all");
    keeps.push(...keepPolicies(kept, deletion, packages ?? {}, lost));
  }
  return keeps;
}

function keepPolicies(kept: Exception, owner: Deletion, packages: Packages, lost: Losses): readonly Emitted[] {
  const exact = conditionsOf(kept.selection, "exact");
  if (!exact) lost.add(kept.at, "keeps tags by more than how they begin: all that begin so are kept");
  const conditions = exact ?? conditionsOf(kept.selection, "wide") ?? [];
  const newerThan = kept.within === undefined ? {} : { newerThan: `${kept.within}s` };
  return conditions.map((condition) => ({
    about: exact ? kept : { ...kept, selection: { ...kept.selection, tags: [] } },
    owner,
    policy: { action: "KEEP", condition: { ...condition, ...packages, ...newerThan } },
  }));
}

/** The conditions of which one fits where a selection does: just there, or there and elsewhere. */
function conditionsOf({ state, tags }: Selection, how: "exact" | "wide"): readonly Condition[] | undefined {
  if (state === "untagged") return [{ tagState: "UNTAGGED" }];
  if (tags.length === 0) return [{ tagState: state === "any" ? "ANY" : "TAGGED" }];
  const untagged: readonly Condition[] = state === "any" ? [{ tagState: "UNTAGGED" }] : [];
  const [group] = tags;
  if (how === "exact" && tags.length > 1) return undefined;
  const globs = group!.flatMap(
    (pattern): readonly (string | undefined)[] => (pattern.negated ? undefined : globsOf(pattern)) ?? [undefined],
  );
  const prefixes = globs.map((text) => prefixOf(text, how));
  if (prefixes.includes(undefined)) return undefined;
  const texts = [...new Set(prefixes.filter((prefix) => prefix !== undefined))];
  const condition: Condition = texts.includes("") ? { tagState: "TAGGED" } : { tagState: "TAGGED", tagPrefixes: texts };
  return [condition, ...untagged];
}

function prefixOf(text: string | undefined, how: "exact" | "wide"): string | undefined {
  if (how === "wide") return text === undefined ? "" : text.replace(/\*.*$/s, "");
  return text !== undefined && /^[^*]*\*$/.test(text) ? text.slice(0, -1) : undefined;
}

function prefixesOfScope(scope: Scope): Packages | undefined {
  if (scope.length === 0) return {};
  const [only, ...more] = scope;
  if (more.length > 0 || only!.negated) return undefined;
  const globs = expandBraces(only!.glob);
  if (globs.includes("**")) return {};
  // All that begins so, in the same part of the path and below.
  const prefixes = globs.flatMap((text) => /^([\w./-]*)\*$/.exec(text)?.[1] ?? []);
  const isWhole = prefixes.length * 2 === globs.length && prefixes.every((prefix) => globs.includes(`${prefix}*/**`));
  return isWhole ? { packageNamePrefixes: prefixes } : undefined;
}
