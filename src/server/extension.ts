import type { Descriptor } from "../oci/descriptor.ts";
import { isDigest } from "../oci/digest.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import { extensionHeader, extensionName, extensionVersion, inventoryPath, inventoryType } from "../oci/extension.ts";
import { parseManifest, type Manifest } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { isTag } from "../oci/reference.ts";
import type { Context, Exchange } from "./context.ts";
import { faultReply, jsonReply, type Reply } from "./message.ts";
import { linkAfter } from "./paging.ts";
import { queryOf } from "./route.ts";
import type { InventoryPlace, ManifestRecord, StoredManifest } from "./storage/storage.ts";

/** The most tags, and manifests without a tag, that a page of an inventory has. */
const mostEntries = 1000;
/** A page stops at this many bytes of manifests. */
const mostBytes = 2 * 1024 * 1024;

/** GET of the extensions that there are (distribution-spec, "extensions/_oci.md"), of the registry or of any repository. */
export function discover(): Reply {
  return jsonReply(200, {
    extensions: [
      {
        name: extensionName,
        url: "docs/guide/inventory.md",
        description: "lists the manifests of a repository with their tags, and when they were pushed and pulled",
        endpoints: [`${extensionName}/inventory/manifests`],
      },
    ],
  });
}

/** GET of all manifests of a repository, in order of digest. */
export async function listInventory({ request, route: { name } }: Exchange, { metadata }: Context): Promise<Reply> {
  const query = queryOf(request.target);
  const after = placeIn(query.get("last"));
  const limit = countIn(query.get("n"));
  const found = await metadata.inventory(name, { limit, bytes: mostBytes, ...(after && { after }) });
  if (!found) return faultReply(404, "NAME_UNKNOWN", `there is no repository ${name}`, { detail: { name } });
  const { records, next } = found;
  const last = next && (next.tag ? `${next.digest},${next.tag}` : next.digest);
  return jsonReply(
    200,
    { name, manifests: records.map(entryOf) },
    { "content-type": inventoryType, ...linkAfter(inventoryPath(name), query, last, last !== undefined) },
  );
}

/** The same answer, which says that the registry has this extension. */
export function announced(reply: Reply): Reply {
  return { ...reply, headers: { ...reply.headers, [extensionHeader]: extensionVersion } };
}

function placeIn(last: string | null): InventoryPlace | undefined {
  if (last === null) return undefined;
  const [digest = "", tag = "", ...more] = last.split(",");
  if (isDigest(digest) && (tag === "" || isTag(tag)) && more.length === 0) return { digest, tag };
  throw new RegistryError("INVALID", "last is no place in this list", { hint: "go on by the Link header" });
}

function countIn(n: string | null): number {
  if (n === null) return mostEntries;
  if (/^\d{1,30}$/.test(n) && Number(n) > 0) return Math.min(Number(n), mostEntries);
  throw new RegistryError("INVALID", `n=${n.slice(0, 40)} is no number of entries`, { hint: `1 to ${mostEntries}` });
}

function entryOf({ manifest, tags, pushed, pulled }: ManifestRecord): object {
  const { descriptor, subject, created } = manifest;
  const { mediaType, digest, size, artifactType, annotations } = descriptor;
  const built = annotations?.["org.opencontainers.image.created"] ?? created;
  return {
    digest,
    mediaType,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(subject && { subject }),
    tags: tags.map(({ name, moved }) => ({ name, ...moment("moved", moved) })),
    ...moment("pushed", pushed),
    ...moment("pulled", pulled),
    ...(built !== undefined && { created: built }),
    ...contentOf(manifest),
  };
}

/** What a manifest is made of, and runs on; nothing where it is none any more to this version. */
function contentOf({ descriptor, bytes, platform }: StoredManifest): object {
  const { digest, mediaType } = descriptor;
  let manifest: Manifest;
  try {
    manifest = parseManifest(bytes, { digest, mediaType });
  } catch (error) {
    if (isRegistryError(error)) return {};
    throw error;
  }
  const { config, blobs, manifests } = manifest;
  const named = manifests.flatMap((child) => child.platform ?? []).filter(({ os }) => os !== "unknown");
  const platforms = platform === undefined ? named.map(formatPlatform) : [platform];
  return {
    ...(platforms.length > 0 && { platforms }),
    ...(config && { config: { mediaType: config.mediaType, ...blobOf(config) } }),
    blobs: blobs.map(blobOf),
    manifests: manifests.map((child) => child.digest),
  };
}

function blobOf({ digest, size }: Descriptor): Pick<Descriptor, "digest" | "size"> {
  return { digest, size };
}

/** As RFC 3339; nothing for what is unknown, or beyond the years that it can say. */
function moment(name: string, milliseconds: number | undefined): Readonly<Record<string, string>> {
  const date = new Date(milliseconds ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? {} : { [name]: date.toISOString() };
}
