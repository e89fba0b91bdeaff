import { isDeepStrictEqual } from "node:util";
import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { requireDocument } from "../../policy/lifecycle/check.ts";
import type { Call } from "../../store/store.ts";
import { objectsIn } from "../answers.ts";
import type { Immutability, LifecyclePolicy } from "../service.ts";
import { everyTag, exceptionsAsRegex, isEveryTag } from "../tag-patterns.ts";
import { placeOf, type OpenQuay, type Purpose } from "./api.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One kind of policies: several may stand side by side, each with a number of its own. */
interface Kind {
  readonly name: "autoprunepolicy" | "immutabilitypolicy";
  readonly feature: string;
  readonly fields: readonly string[];
}

const pruning: Kind = {
  name: "autoprunepolicy",
  feature: "FEATURE_AUTO_PRUNE",
  fields: ["method", "value", "tagPattern", "tagPatternMatches"],
};
const keeping: Kind = {
  name: "immutabilitypolicy",
  feature: "FEATURE_IMMUTABLE_TAGS",
  fields: ["tagPattern", "tagPatternMatches"],
};

/** The policies by which Quay prunes a repository's tags, else those of its whole organization. */
export async function lifecycle(open: OpenQuay, repository: string, call?: Call): Promise<LifecyclePolicy | undefined> {
  const { policies, scope } = await effective(open, pruning, repository, call);
  if (policies.length === 0) return undefined;
  return {
    dialect: "quay",
    document: { policies: policies.map((one) => plain(pruning, one)) },
    ...(scope && { scope }),
  };
}

/** Sets all policies of a repository, or of an organization that is named alone. */
export async function setLifecycle(
  open: OpenQuay,
  repository: string,
  document: unknown,
  call?: Call,
): Promise<LifecyclePolicy> {
  requireDocument("quay", document);
  const listed = isObject(document) ? document["policies"] : undefined;
  const wanted = objectsIn(listed);
  if (!Array.isArray(listed) || wanted.length !== listed.length) {
    throw new RegistryError("INVALID", 'a policy of Quay is {"policies": [{"method": ..., "value": ...}]}');
  }
  const policies = wanted.map((one) => plain(pruning, one));
  await replace(open, pruning, repository, policies, call);
  const { isWhole, namespace } = placeOf(repository);
  return { dialect: "quay", document: { policies }, ...(isWhole && { scope: `organization ${namespace}` }) };
}

export async function deleteLifecycle(open: OpenQuay, repository: string, call?: Call): Promise<void> {
  await replace(open, pruning, repository, [], call);
}

/** Which tags of a repository may move, by its policies or else by those of its organization. */
export async function immutability(open: OpenQuay, repository: string, call?: Call): Promise<Immutability> {
  const { policies, scope } = await effective(open, keeping, repository, call);
  const rules = policies.flatMap(({ tagPattern, tagPatternMatches }) =>
    typeof tagPattern === "string" ? [{ tagPattern, isKept: tagPatternMatches !== false }] : [],
  );
  return { ...together(repository, rules), ...(scope && { scope }) };
}

/** Each rule adds tags that may not move: those that fit it, or all that do not. */
function together(
  repository: string,
  rules: readonly { readonly tagPattern: string; readonly isKept: boolean }[],
): Immutability {
  const patterns = rules.map(({ tagPattern }) => tagPattern);
  if (rules.length === 0) return { tags: "mutable" };
  if (rules.some(({ tagPattern, isKept }) => isKept && isEveryTag(tagPattern))) return { tags: "immutable" };
  if (rules.every(({ isKept }) => isKept)) return { tags: "mutable", except: patterns, patterns: "regex" };
  if (rules.length === 1) return { tags: "immutable", except: patterns, patterns: "regex" };
  throw new RegistryError(
    "UNSUPPORTED",
    `the policies of ${repository} cannot be told in one rule: ${patterns.join(", ")}`,
    {
      hint: "see them on Quay's own pages",
    },
  );
}

/** Sets which tags may move. What policies made immutable before stays so, for Quay marks the tags themselves. */
export async function setImmutability(
  open: OpenQuay,
  repository: string,
  wanted: Immutability,
  call?: Call,
): Promise<void> {
  const except = exceptionsAsRegex(wanted);
  const matching = wanted.tags === "mutable" ? except : except.length === 0 ? [everyTag] : [];
  const others = except.length === 1 ? except[0]! : except.map((pattern) => `(?:${pattern})`).join("|");
  await replace(
    open,
    keeping,
    repository,
    wanted.tags === "immutable" && except.length > 0
      ? [{ tagPattern: others, tagPatternMatches: false }]
      : matching.map((tagPattern) => ({ tagPattern, tagPatternMatches: true })),
    call,
  );
}

/** A policy without its number and what is not set. */
function plain({ fields }: Kind, policy: Fields): Fields {
  const set = fields.filter((name) => policy[name] !== undefined && policy[name] !== null);
  return Object.fromEntries(set.map((name) => [name, policy[name]]));
}

function purposeOf({ feature }: Kind, isWhole: boolean): Purpose {
  return { feature, needs: isWhole ? "org:admin" : "repo:admin" };
}

/** The policies of a repository; where it has none, those of its organization, which all who may see them are told. */
async function effective(
  open: OpenQuay,
  kind: Kind,
  repository: string,
  call: Call = {},
): Promise<{ readonly policies: readonly Fields[]; readonly scope?: string }> {
  const { namespace, isWhole } = placeOf(repository);
  const own = await policiesOf(open, kind, repository, call);
  const scope = `organization ${namespace}`;
  if (isWhole || own.length > 0) return { policies: own, ...(isWhole && { scope }) };
  try {
    const policies = await policiesOf(open, kind, namespace, call);
    return policies.length > 0 ? { policies, scope } : { policies };
  } catch (error) {
    // A user's namespace is no organization, and not every token may see an organization's.
    if (isRegistryError(error, "DENIED", "UNAUTHORIZED", "NAME_UNKNOWN")) return { policies: [] };
    throw error;
  }
}

async function policiesOf(open: OpenQuay, kind: Kind, at: string, call: Call): Promise<readonly Fields[]> {
  const { path, isWhole } = placeOf(at);
  const what = `read the policies of ${at}`;
  const { policies } = await open(at, purposeOf(kind, isWhole)).object(`${path}/${kind.name}/`, { ...call, what });
  return objectsIn(policies);
}

/** Makes the policies those that are wanted: what is there already stays, others are changed before any is taken away. */
async function replace(
  open: OpenQuay,
  kind: Kind,
  repository: string,
  wanted: readonly Fields[],
  call: Call = {},
): Promise<void> {
  const { path, isWhole } = placeOf(repository);
  const quay = open(repository, purposeOf(kind, isWhole));
  const request = { ...call, what: `set the policies of ${repository}` };
  const left = [...(await policiesOf(open, kind, repository, call))];
  const missing = wanted.filter((one) => {
    const at = left.findIndex((other) => isDeepStrictEqual(whole(kind, other), whole(kind, one)));
    return at < 0 || left.splice(at, 1).length === 0;
  });
  for (const body of missing) {
    const old = left.shift();
    if (old) await quay.send("PUT", `${path}/${kind.name}/${numberOf(old)}`, { ...request, body });
    else await quay.send("POST", `${path}/${kind.name}/`, { ...request, body });
  }
  for (const old of left) await quay.send("DELETE", `${path}/${kind.name}/${numberOf(old)}`, request);
}

/** A policy with what Quay adds by itself, to compare. */
function whole(kind: Kind, policy: Fields): Fields {
  return { tagPatternMatches: true, ...plain(kind, policy) };
}

function numberOf({ uuid }: Fields): string {
  if (typeof uuid === "string" && /^[\w-]{1,100}$/.test(uuid)) return uuid;
  throw new RegistryError("NETWORK", "Quay tells of a policy without its number");
}
