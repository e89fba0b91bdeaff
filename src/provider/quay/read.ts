import { isObject } from "../../oci/descriptor.ts";
import { isDigest } from "../../oci/digest.ts";
import { isRepository, isTag } from "../../oci/reference.ts";
import { countOf, textOf } from "../answers.ts";
import type { Allowance, ImageInfo, RepositoryInfo, SearchResult } from "../service.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One repository of a list, or by itself; undefined for what has no name that can be. */
export function repositoryOf(fields: Fields): RepositoryInfo | undefined {
  const name = `${String(fields["namespace"])}/${String(fields["name"])}`;
  if (typeof fields["name"] !== "string" || !isRepository(name)) return undefined;
  const updated = momentOfSeconds(fields["last_modified"]);
  const size = isObject(fields["quota_report"]) ? countOf(fields["quota_report"]["quota_bytes"]) : undefined;
  const description = textOf(fields["description"]);
  const state = textOf(fields["state"])?.toLowerCase().replaceAll("_", " ");
  return {
    name,
    ...(updated && { updated }),
    ...(size !== undefined && { size }),
    ...(description && { description }),
    ...(typeof fields["is_public"] === "boolean" && { visibility: fields["is_public"] ? "public" : "private" }),
    ...(state && state !== "normal" && { state }),
  };
}

/** One tag of a list; undefined for what is none. */
export function imageOf(fields: Fields): ImageInfo | undefined {
  const { name, manifest_digest: digest, is_manifest_list: isIndex, child_manifests_presence: presence } = fields;
  if (typeof name !== "string" || !isTag(name)) return undefined;
  const pushed = momentOfSeconds(fields["start_ts"]);
  const size = countOf(fields["size"]);
  const children = isObject(presence) ? Object.keys(presence).filter((child) => isDigest(child)) : [];
  return {
    tags: [name],
    ...(typeof digest === "string" && isDigest(digest) && { digest }),
    ...(pushed && { pushed }),
    // Of an index Quay knows no size of its layers, and says nothing or 0.
    ...(size !== undefined &&
      !(isIndex === true && size === 0) && { size, sizeKind: isIndex === true ? "unexplained" : "manifest" }),
    ...(children.length > 0 && { children }),
    ...(typeof fields["immutable"] === "boolean" && { immutable: fields["immutable"] }),
  };
}

/** One result of a search at a registry. */
export function resultOf(host: string, fields: Fields): SearchResult | undefined {
  const namespace = isObject(fields["namespace"]) ? fields["namespace"]["name"] : undefined;
  const name = `${String(namespace)}/${String(fields["name"])}`;
  if (typeof namespace !== "string" || typeof fields["name"] !== "string" || !isRepository(name)) return undefined;
  const description = textOf(fields["description"]);
  const stars = countOf(fields["stars"]);
  return {
    reference: `${host}/${name}`,
    name,
    ...(description && { description }),
    ...(stars !== undefined && { stars }),
  };
}

/** The space that a namespace has and uses; undefined where Quay keeps no count. */
export function storageOf(namespace: string, fields: Fields): Allowance | undefined {
  const report = fields["quota_report"];
  if (!isObject(report)) return undefined;
  const [used, limit] = [countOf(report["quota_bytes"]), countOf(report["configured_quota"])];
  return {
    what: `storage of ${namespace}`,
    unit: "bytes",
    ...(used !== undefined && { used }),
    ...(limit === undefined ? { unlimited: true } : { limit, remaining: Math.max(0, limit - (used ?? 0)) }),
  };
}

/** A moment told in seconds since 1970, as RFC 3339 in UTC. */
function momentOfSeconds(value: unknown): string | undefined {
  const seconds = countOf(value);
  return seconds !== undefined && seconds > 0 && seconds < 1e11 ? new Date(seconds * 1000).toISOString() : undefined;
}
