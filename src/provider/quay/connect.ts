import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { isRepository } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { objectsIn, textOf } from "../answers.ts";
import { inOrder } from "../in-order.ts";
import type { JsonAnswer } from "../json-api.ts";
import { protocolService } from "../protocol.ts";
import type { Provider, ServiceContext } from "../provider.ts";
import type { Allowance, ImageInfo, RepositoryInfo, SearchQuery, SearchResult, ServiceRegistry } from "../service.ts";
import { openQuay, repositoryPath, type OpenQuay, type Quay } from "./api.ts";
import { findings } from "./findings.ts";
import { deleteLifecycle, immutability, lifecycle, setImmutability, setLifecycle } from "./policies.ts";
import { imageOf, repositoryOf, resultOf, storageOf } from "./read.ts";

/** Quay: images by the distribution API with any login, all else by its own with an OAuth token, and what is public without. */
export function connectQuay(provider: Provider, context: ServiceContext): ServiceRegistry {
  const isOwnHost = provider.matches(context.host);
  const open = openQuay(context, provider.title, isOwnHost);
  const protocol = protocolService(provider, context);
  const list = (prefix?: string, call?: Call): AsyncIterable<RepositoryInfo> =>
    listRepositories(open, isOwnHost, prefix, call);
  const scan = { feature: "FEATURE_SECURITY_SCANNER" };
  return {
    ...protocol,
    repositories: async function* (prefix, call) {
      for await (const { name } of list(prefix, call)) yield name;
    },
    listRepositories: list,
    describeRepository: (name, call) => describe(open(name), name, call),
    images: (name, call) => images(open(name), name, call),
    search: (query, call) => search(open(""), query, call),
    createRepository: (name, call) => createRepository(open(name, { needs: "repo:create" }), name, call),
    deleteRepository: (name, call) => deleteRepository(open(name, { needs: "repo:admin" }), name, call),
    immutability: (name, call) => immutability(open, name, call),
    setImmutability: (name, wanted, call) => setImmutability(open, name, wanted, call),
    lifecycle: (name, call) => lifecycle(open, name, call),
    setLifecycle: (name, document, call) => setLifecycle(open, name, document, call),
    deleteLifecycle: (name, call) => deleteLifecycle(open, name, call),
    findings: (name, ref, call) => findings(open(name, scan), protocol.repository(name), name, ref, call),
    allowances: (call) => allowances(open, call),
  };
}

/** Without a namespace: those of all namespaces of the token's owner; without a token, at a Quay of one's own, what is public. */
async function* listRepositories(
  open: OpenQuay,
  isOwnHost: boolean,
  prefix = "",
  call?: Call,
): AsyncGenerator<RepositoryInfo, void> {
  const slash = prefix.indexOf("/");
  const named = slash < 0 ? prefix : prefix.slice(0, slash);
  const quay = open(named);
  const namespaces = named
    ? [named]
    : (await quay.hasToken(call))
      ? (await account(open, call)).namespaces
      : [undefined];
  if (!named && isOwnHost && namespaces[0] === undefined) {
    throw new RegistryError("INVALID", `${quay.host} lists the repositories of one namespace`, {
      host: quay.host,
      hint: `name it, such as ${quay.host}/NAMESPACE, or give an OAuth token for your own`,
    });
  }
  for (const namespace of namespaces) {
    const pages = quay.lists("/repository", {
      ...call,
      what: `list the repositories of ${namespace ?? quay.host}`,
      field: "repositories",
      query: { namespace, public: "true", last_modified: "true" },
      next: ({ body }) => {
        const token = isObject(body) ? body["next_page"] : undefined;
        return typeof token === "string" && token !== "" ? { next_page: token } : undefined;
      },
    });
    for await (const page of pages) {
      for (const fields of page) {
        const info = repositoryOf(fields);
        const wanted = slash < 0 && named ? `${named}/` : prefix;
        if (info?.name.startsWith(wanted)) yield info;
      }
    }
  }
}

interface Account {
  readonly username: string;
  readonly namespaces: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Whose token it is, and the namespaces that are his: his own and his organizations'. */
async function account(open: OpenQuay, call?: Call): Promise<Account> {
  const fields = await open("", { needs: "user:read" }).object("/user/", { ...call, what: "read whose token it is" });
  const named = [fields["username"], ...objectsIn(fields["organizations"]).map(({ name }) => name)];
  const namespaces = named.filter((name) => typeof name === "string" && isRepository(name) && !name.includes("/"));
  return { username: textOf(fields["username"]) ?? "?", namespaces: namespaces as readonly string[], fields };
}

async function describe(quay: Quay, repository: string, call?: Call): Promise<RepositoryInfo | undefined> {
  try {
    const what = `read ${repository}`;
    return repositoryOf(
      await quay.object(repositoryPath(repository), { ...call, what, query: { includeTags: "false" } }),
    );
  } catch (error) {
    if (isRegistryError(error, "NAME_UNKNOWN")) return undefined;
    throw error;
  }
}

const pageSize = 100;

async function* images(quay: Quay, repository: string, call?: Call): AsyncGenerator<ImageInfo, void> {
  const pages = quay.lists(`${repositoryPath(repository)}/tag/`, {
    ...call,
    what: `list the tags of ${repository}`,
    field: "tags",
    query: { onlyActiveTags: "true", limit: pageSize, page: 1 },
    next: nextPage,
  });
  const seen = new Set<string>();
  for await (const page of pages) {
    const before = seen.size;
    for (const fields of page) {
      const image = imageOf(fields);
      const [tag] = image?.tags ?? [];
      if (!image || tag === undefined || seen.has(tag)) continue;
      seen.add(tag);
      yield image;
    }
    if (seen.size === before) return;
  }
}

/** Pages are numbered, and the answer says which it is: the last that may be had is given for all that follow, too. */
function nextPage({ body }: JsonAnswer): Readonly<Record<string, string>> | undefined {
  const { page, has_additional: hasMore } = isObject(body) ? body : {};
  return hasMore === true && Number.isSafeInteger(page) ? { page: String(Number(page) + 1) } : undefined;
}

async function* search(
  quay: Quay,
  { term, limit = Infinity, official, automated, stars = 0 }: SearchQuery,
  call?: Call,
): AsyncGenerator<SearchResult, void> {
  if (official !== undefined || automated !== undefined) {
    throw new RegistryError("UNSUPPORTED", "Quay has no official and no automated images", {
      host: quay.host,
      hint: "search without that filter",
    });
  }
  const pages = quay.lists("/find/repositories", {
    ...call,
    what: `search for ${JSON.stringify(term)}`,
    field: "results",
    query: { query: term, includeUsage: "true", page: 1 },
    next: nextPage,
  });
  const seen = new Set<string>();
  let found = 0;
  for await (const page of pages) {
    const before = seen.size;
    for (const fields of page) {
      const result = resultOf(quay.host, fields);
      if (!result || seen.has(result.name)) continue;
      seen.add(result.name);
      if (found >= limit) return;
      if ((result.stars ?? 0) < stars) continue;
      found++;
      yield result;
    }
    if (seen.size === before || found >= limit) return;
  }
}

async function createRepository(quay: Quay, repository: string, call?: Call): Promise<"created" | "exists"> {
  repositoryPath(repository);
  const slash = repository.indexOf("/");
  try {
    await quay.send("POST", "/repository", {
      ...call,
      what: `create ${repository}`,
      body: {
        namespace: repository.slice(0, slash),
        repository: repository.slice(slash + 1),
        visibility: "private",
        description: "",
        repo_kind: "image",
      },
    });
    return "created";
  } catch (error) {
    // What is there already is refused as any other bad request.
    if (isRegistryError(error, "INVALID", "CONFLICT") && (await describe(quay, repository, call))) return "exists";
    throw error;
  }
}

async function deleteRepository(
  quay: Quay,
  repository: string,
  { force, ...call }: Call & { readonly force?: boolean } = {},
): Promise<void> {
  const path = repositoryPath(repository);
  const what = `delete ${repository}`;
  if (!force) {
    const query = { onlyActiveTags: "true", limit: 1, page: 1 };
    const { tags } = await quay.object(`${path}/tag/`, { ...call, what, query });
    if (!Array.isArray(tags) || tags.length > 0) {
      throw new RegistryError("CONFLICT", `cannot ${what}: it has images`, {
        host: quay.host,
        hint: "with force they go too",
      });
    }
  }
  await quay.send("DELETE", path, { ...call, what });
}

/** The space of the token's owner and of his organizations, where Quay keeps count of it. */
async function allowances(open: OpenQuay, call: Call = {}): Promise<readonly Allowance[]> {
  const { username, namespaces, fields } = await account(open, call);
  const others = namespaces.filter((name) => name !== username);
  const quay = open("");
  const read = inOrder(others, 4, async (name) =>
    storageOf(name, await quay.object(`/organization/${name}`, { ...call, what: `read the quota of ${name}` })),
  );
  return [storageOf(username, fields), ...(await Array.fromAsync(read))].filter((told) => told !== undefined);
}
