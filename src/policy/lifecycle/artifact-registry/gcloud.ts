import { faultyDocument, type Document } from "../../../document/document.ts";
import { isObject } from "../../../oci/descriptor.ts";

type Fields = Readonly<Record<string, unknown>>;

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Cleanup policies as Google's documentation writes them for gcloud (a list, `{"name": ..., "action": {"type": "Delete"}}`), in
 * the form of the API; whatever else it is, as it stands. Throws INVALID where two of the list have one name.
 * (https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy)
 */
export function fromGcloud(document: Document): Document {
  const { value, place } = document;
  if (!Array.isArray(value) || value.length === 0 || !value.every(isPolicy)) return document;
  const names = value.map(({ name }) => name);
  const twice = names.findIndex((name, i) => names.indexOf(name) < i);
  if (twice !== -1) throw faultyDocument(document, [{ path: [twice, "name"], message: "is another one's name, too" }]);
  const cleanupPolicies = Object.fromEntries(value.map((policy) => [policy.name, policyOf(policy)]));
  return {
    name: document.name,
    value: { cleanupPolicies },
    ...(place && {
      place: ([top, id, ...below]) =>
        place(top === "cleanupPolicies" && id !== undefined ? [names.indexOf(String(id)), ...below] : []),
    }),
  };
}

const isPolicy = (value: unknown): value is Fields & { readonly name: string; readonly action: Fields } =>
  isObject(value) && typeof value["name"] === "string" && isObject(value["action"]);

function policyOf(policy: Fields & { readonly action: Fields }): Fields {
  const { name: _, action, condition, ...others } = policy;
  const { type, ...more } = action;
  return {
    action: Object.keys(more).length > 0 ? action : upper(type),
    ...(condition !== undefined && { condition: isObject(condition) ? conditionOf(condition) : condition }),
    ...others,
  };
}

function conditionOf(condition: Fields): Fields {
  const { tagState, olderThan, newerThan } = condition;
  return {
    ...condition,
    ...(tagState !== undefined && { tagState: upper(tagState) }),
    ...(olderThan !== undefined && { olderThan: inSeconds(olderThan) }),
    ...(newerThan !== undefined && { newerThan: inSeconds(newerThan) }),
  };
}

const upper = (value: unknown): unknown => (typeof value === "string" ? value.toUpperCase() : value);

function inSeconds(value: unknown): unknown {
  const [, count, unit] = (typeof value === "string" && /^(\d{1,9})([smhd])$/.exec(value)) || [];
  return unit === undefined ? value : `${Number(count) * seconds[unit]!}s`;
}
