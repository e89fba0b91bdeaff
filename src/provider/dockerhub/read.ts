import { isObject } from "../../oci/descriptor.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { isRepository, isTag } from "../../oci/reference.ts";
import { countOf, momentOf, objectsIn, textOf } from "../answers.ts";
import type { ImageInfo, Immutability, RepositoryInfo, SearchResult } from "../service.ts";
import { isEveryTag } from "../tag-patterns.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One repository of a list, or by itself; undefined for what has no name that can be. */
export function repositoryOf(fields: Fields): RepositoryInfo | undefined {
  const { namespace, name } = fields;
  const full = `${String(namespace)}/${String(name)}`;
  if (typeof namespace !== "string" || typeof name !== "string" || !isRepository(full)) return undefined;
  const [created, updated] = [momentOf(fields["date_registered"]), momentOf(fields["last_updated"])];
  const [size, stars, pulls] = [fields["storage_size"], fields["star_count"], fields["pull_count"]].map(countOf);
  const description = textOf(fields["description"]);
  const state = textOf(fields["status_description"])?.toLowerCase();
  const immutability = immutabilityOf(fields);
  return {
    name: full,
    ...(created && { created }),
    ...(updated && { updated }),
    ...(size !== undefined && { size }),
    ...(description && { description }),
    ...(typeof fields["is_private"] === "boolean" && { visibility: fields["is_private"] ? "private" : "public" }),
    ...(stars !== undefined && { stars }),
    ...(pulls !== undefined && { pulls }),
    ...(immutability && { immutability }),
    ...(state && state !== "active" && { state }),
  };
}

/** Which tags of a repository may move; undefined where it does not tell. */
export function immutabilityOf(fields: Fields): Immutability | undefined {
  const settings = fields["immutable_tags_settings"];
  if (!isObject(settings) || typeof settings["enabled"] !== "boolean") return undefined;
  if (!settings["enabled"]) return { tags: "mutable" };
  const rules = Array.isArray(settings["rules"]) ? settings["rules"].flatMap((rule) => textOf(rule) ?? []) : [];
  if (rules.length === 0 || rules.some(isEveryTag)) return { tags: "immutable" };
  return { tags: "mutable", except: rules, patterns: "regex" };
}

/** One tag of a list; undefined for what is none. */
export function imageOf(fields: Fields): ImageInfo | undefined {
  const { name, digest, media_type: mediaType } = fields;
  if (typeof name !== "string" || !isTag(name)) return undefined;
  const parts = objectsIn(fields["images"]);
  const digests = parts.flatMap((part) => digestOf(part["digest"]) ?? []);
  const own = digestOf(digest);
  const [pushed, pulled] = [momentOf(fields["tag_last_pushed"]), momentOf(fields["tag_last_pulled"])];
  const size = countOf(fields["full_size"]);
  const platforms = [...new Set(parts.flatMap((part) => platformOf(part) ?? []))];
  const isIndex = own !== undefined && digests.length > 0 && !digests.includes(own);
  const type = textOf(mediaType);
  return {
    tags: [name],
    ...(own && { digest: own }),
    ...(pushed && { pushed }),
    ...(pulled && { pulled }),
    ...(size !== undefined && { size, sizeKind: "unexplained" }),
    ...(platforms.length > 0 && { platforms }),
    ...(type && { mediaType: type }),
    ...(isIndex && { children: digests }),
  };
}

function digestOf(value: unknown): Digest | undefined {
  return typeof value === "string" && isDigest(value) ? value : undefined;
}

/** What is attached to an image, such as where it was built, has `unknown` for its platform. */
function platformOf({ os, architecture, variant }: Fields): string | undefined {
  const word = (value: unknown): value is string => typeof value === "string" && /^[\w.-]+$/.test(value);
  if (!word(os) || !word(architecture) || os === "unknown") return undefined;
  return formatPlatform({ os, architecture, ...(word(variant) && { variant }) });
}

/** One result of a search; official repositories are named by one part. */
export function resultOf(fields: Fields): SearchResult | undefined {
  const told = fields["repo_name"];
  if (typeof told !== "string" || !isRepository(told)) return undefined;
  const name = told.includes("/") ? told : `library/${told}`;
  const description = textOf(fields["short_description"]);
  const [stars, pulls] = [countOf(fields["star_count"]), countOf(fields["pull_count"])];
  return {
    reference: `docker.io/${name}`,
    name,
    ...(description && { description }),
    ...(stars !== undefined && { stars }),
    ...(pulls !== undefined && { pulls }),
    official: fields["is_official"] === true,
    automated: fields["is_automated"] === true,
  };
}
