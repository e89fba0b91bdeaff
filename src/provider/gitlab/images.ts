import { isObject } from "../../oci/descriptor.ts";
import { isDigest } from "../../oci/digest.ts";
import { isAbsent, isRegistryError, RegistryError } from "../../oci/error.ts";
import { isTag } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { countOf, momentOf, objectsIn, textOf } from "../answers.ts";
import { inOrder } from "../in-order.ts";
import type { ImageInfo } from "../service.ts";
import type { GitLab } from "./api.ts";

type Item = Readonly<Record<string, unknown>>;

/** More pages than any repository has. */
const mostPages = 50_000;

const basic = "name digest createdAt totalSize";
const queryOf = (fields: string): string =>
  `query($id: ContainerRepositoryID!, $after: String) { containerRepository(id: $id) { ` +
  `tags(first: 20, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } } }`;

/**
 * The tags of a repository with all that GitLab tells of them, by GraphQL: 20 with a request, which is the most it gives.
 * GitLab before 17 knows less of them.
 */
export async function* queriedImages(api: GitLab, id: number, call?: Call): AsyncGenerator<ImageInfo, void> {
  let query = queryOf(`${basic} mediaType publishedAt`);
  const ask = (after: string | undefined): Promise<Item> =>
    api.query("list tags", query, { id: `gid://gitlab/ContainerRepository/${id}`, after: after ?? null }, call);
  const seen = new Set<string>();
  let after: string | undefined;
  do {
    if (seen.size >= mostPages) {
      throw new RegistryError("NETWORK", "cannot list tags: GitLab leads from page to page without an end");
    }
    let data: Item;
    try {
      data = await ask(after);
    } catch (error) {
      if (!isRegistryError(error, "UNSUPPORTED") || after !== undefined) throw error;
      query = queryOf(basic);
      data = await ask(after);
    }
    const repository = data["containerRepository"];
    if (!isObject(repository)) throw new RegistryError("NAME_UNKNOWN", "the repository went away while it was listed");
    const { nodes, pageInfo } = isObject(repository["tags"]) ? repository["tags"] : {};
    yield* objectsIn(nodes).flatMap((node) => imageOf(node) ?? []);
    const next = isObject(pageInfo) && pageInfo["hasNextPage"] === true ? pageInfo["endCursor"] : undefined;
    after = typeof next === "string" && !seen.has(next) ? next : undefined;
    if (after !== undefined) seen.add(after);
  } while (after !== undefined);
}

const atOnce = 8;

/** The same by the REST API, which tells only names at once: for a CI job's token, which GraphQL does not take. */
export async function* listedImages(api: GitLab, address: string, call?: Call): AsyncGenerator<ImageInfo, void> {
  const rest = await api.rest(call);
  const path = `${address}/tags`;
  async function* names(): AsyncGenerator<string, void> {
    for await (const { body } of rest.pages(path, { what: "list tags", query: { per_page: 100 }, ...call })) {
      yield* objectsIn(body).flatMap(({ name }) => (typeof name === "string" && isTag(name) ? name : []));
    }
  }
  yield* inOrder(names(), atOnce, async (name): Promise<ImageInfo> => {
    try {
      const { body } = await rest.send("GET", `${path}/${name}`, { what: `read the tag ${name}`, ...call });
      return (isObject(body) && imageOf({ ...body, name })) || { tags: [name] };
    } catch (error) {
      if (isAbsent(error)) return { tags: [name] };
      throw error;
    }
  });
}

/**
 * A tag, in the names of either API. With its metadata database, GitLab knows when a tag was pushed; without, its
 * `created` is that of the image's config, and with REST it does not say which of the two it is.
 */
function imageOf(item: Item): ImageInfo | undefined {
  const { name, digest, mediaType } = item;
  if (typeof name !== "string" || !isTag(name)) return undefined;
  const pushed = momentOf(item["publishedAt"]);
  const created = momentOf(item["createdAt"] ?? item["created_at"]);
  const size = countOf(item["totalSize"] ?? item["total_size"]);
  const type = textOf(mediaType);
  return {
    tags: [name],
    ...(typeof digest === "string" && isDigest(digest) && { digest }),
    ...(pushed === undefined ? created !== undefined && { created } : { pushed }),
    ...(size !== undefined && { size, sizeKind: "unexplained" }),
    ...(type !== undefined && { mediaType: type }),
  };
}
