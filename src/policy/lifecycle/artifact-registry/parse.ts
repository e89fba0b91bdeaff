import { losses, type Losses } from "../fold.ts";
import { selectionOf, type Deletion, type Exception, type Parsed, type Scope, type Selection } from "../rules.ts";
import { glob } from "../tag-pattern.ts";
import { secondsOf, type ArtifactRegistryDocument, type CleanupPolicy, type Condition } from "./document.ts";

/** Reads cleanup policies: what a KEEP fits is excepted from every DELETE. */
export function parseArtifactRegistry({ cleanupPolicies, cleanupPolicyDryRun }: ArtifactRegistryDocument): Parsed {
  const lost = losses();
  const named = Object.entries(cleanupPolicies).map(([id, policy]) => ({ at: `cleanupPolicies.${id}`, ...policy }));
  const except = named.filter(({ action }) => action === "KEEP").map((policy) => exceptionOf(policy, lost));
  const deletions = named
    .filter(({ action }) => action === "DELETE")
    .flatMap((policy) => deletionOf(policy, except, lost) ?? []);
  if (cleanupPolicyDryRun) {
    lost.add("cleanupPolicyDryRun", "is for trying policies out: nothing is deleted, as there");
    return { rules: { unit: "image", countsParts: true, deletions: [] }, losses: lost.all };
  }
  return { rules: { unit: "image", countsParts: true, deletions }, losses: lost.all };
}

type Named = CleanupPolicy & { readonly at: string };

function deletionOf({ at, condition = {} }: Named, except: readonly Exception[], lost: Losses): Deletion | undefined {
  if (hasAny(condition.versionNamePrefixes)) {
    return lost.add(at, "goes by digests (versionNamePrefixes), which only Artifact Registry does: left out");
  }
  const { olderThan, newerThan } = condition;
  const selection = selectionIn(condition);
  if (!selection) return undefined;
  return {
    at,
    selection,
    scope: scopeIn(condition.packageNamePrefixes),
    ...(olderThan !== undefined && { olderThan: secondsOf(olderThan) }),
    ...(newerThan !== undefined && { newerThan: secondsOf(newerThan) }),
    countsExceptions: true,
    except,
  };
}

function exceptionOf({ at, condition = {}, mostRecentVersions }: Named, lost: Losses): Exception {
  if (mostRecentVersions) {
    const scope = scopeIn(mostRecentVersions.packageNamePrefixes);
    return { at, selection: selectionOf("any"), scope, newest: mostRecentVersions.keepCount, by: "push" };
  }
  if (hasAny(condition.versionNamePrefixes)) {
    lost.add(at, "goes by digests (versionNamePrefixes), which only Artifact Registry does: all of them are kept");
  }
  const { olderThan, newerThan } = condition;
  return {
    at,
    selection: selectionIn(condition) ?? selectionOf("any"),
    scope: scopeIn(condition.packageNamePrefixes),
    ...(olderThan !== undefined && { olderThan: secondsOf(olderThan) }),
    ...(newerThan !== undefined && { within: secondsOf(newerThan) }),
    by: "push",
  };
}

const hasAny = (list: readonly unknown[] = []): boolean => list.length > 0;

/** Undefined for what no image can be. */
function selectionIn({ tagState = "ANY", tagPrefixes = [] }: Condition): Selection | undefined {
  const state = ({ ANY: "any", TAGGED: "tagged", UNTAGGED: "untagged" } as const)[tagState];
  if (tagPrefixes.length === 0) return selectionOf(state);
  return state === "untagged"
    ? undefined
    : selectionOf(
        "tagged",
        tagPrefixes.map((prefix) => glob(`${prefix}*`)),
      );
}

/** Several prefixes are alternatives, which a scope says in braces. */
function scopeIn(prefixes: readonly string[] = []): Scope {
  if (prefixes.length === 0) return [];
  return [{ glob: `{${prefixes.flatMap((prefix) => [`${prefix}*`, `${prefix}*/**`]).join(",")}}`, negated: false }];
}
