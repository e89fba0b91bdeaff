import { parseDigest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import type { Context, Exchange } from "./context.ts";
import { faultReply, jsonReply, type Reply } from "./message.ts";
import { linkAfter, pageLimit, parsePage } from "./paging.ts";
import { queryOf } from "./route.ts";

/** An answer with referrers stops at this many bytes of JSON, before the 4 MiB that clients read of an index. */
const referrersBytes = 2 * 1024 * 1024;

/** GET of a repository's tags, in byte order. */
export async function listTags({ request, route: { name } }: Exchange, { metadata }: Context): Promise<Reply> {
  const query = queryOf(request.target);
  const page = parsePage(query);
  const found = await metadata.tags(name, { ...page, limit: page.limit + 1 });
  if (!found) return faultReply(404, "NAME_UNKNOWN", `there is no repository ${name}`, { detail: { name } });
  const tags = found.slice(0, page.limit);
  return jsonReply(
    200,
    { name, tags },
    linkAfter(`/v2/${name}/tags/list`, query, tags.at(-1), found.length > tags.length),
  );
}

/** GET of the repositories that the caller may see, in byte order. */
export async function listRepositories({ request, sees }: Exchange, { metadata }: Context): Promise<Reply> {
  const query = queryOf(request.target);
  const { limit, after } = parsePage(query);
  const found: string[] = [];
  const step = sees ? pageLimit : limit + 1;
  for (let from = after; found.length <= limit;) {
    const names = await metadata.repositories({ limit: step, ...(from !== undefined && { after: from }) });
    found.push(...(sees ? names.filter(sees) : names));
    if (names.length < step) break;
    from = names.at(-1);
  }
  const repositories = found.slice(0, limit);
  return jsonReply(200, { repositories }, linkAfter("/v2/_catalog", query, repositories.at(-1), found.length > limit));
}

/** GET of what is attached to a manifest: never 404, as the subject need not be there. */
export async function listReferrers(
  { request, route: { name, ref } }: Exchange,
  { metadata }: Context,
): Promise<Reply> {
  const digest = parseDigest(ref);
  const query = queryOf(request.target);
  const artifactTypes = query.getAll("artifactType").filter((type) => type !== "");
  const { descriptors, more } = await metadata.referrers(name, digest, {
    ...parsePage(query),
    bytes: referrersBytes,
    ...(artifactTypes.length > 0 && { artifactTypes }),
  });
  const body = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: descriptors };
  return jsonReply(200, body, {
    "content-type": mediaTypes.ociIndex,
    ...(artifactTypes.length > 0 && { "oci-filters-applied": "artifactType" }),
    ...linkAfter(`/v2/${name}/referrers/${digest}`, query, descriptors.at(-1)?.digest, more),
  });
}
