import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { isTag } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { unsupported } from "../abilities.ts";
import { protocolService } from "../protocol.ts";
import type { Provider, ServiceContext } from "../provider.ts";
import type {
  ImageInfo,
  Immutability,
  RepositoryInfo,
  SearchQuery,
  SearchResult,
  ServiceRegistry,
} from "../service.ts";
import { everyTag, exceptionsAsRegex } from "../tag-patterns.ts";
import { hubName, openHub, pageSize, pathOf, type Hub, type OpenHub } from "./api.ts";
import { hubAllowances } from "./limits.ts";
import { imageOf, immutabilityOf, repositoryOf, resultOf } from "./read.ts";

/** Docker Hub: what is public without a login, all else with that for docker.io. */
export function connectHub(provider: Provider, context: ServiceContext): ServiceRegistry {
  const open = openHub(context, provider.matches(context.host));
  const protocol = protocolService(provider, context);
  return {
    ...protocol,
    repository: (name) => ({
      ...protocol.repository(name),
      deleteTag: (tag, call) => deleteTag(open, name, tag, call),
      deleteManifest: async () => {
        throw unsupported(provider.title, context.host, "deleteManifests", provider.abilities.deleteManifests);
      },
    }),
    repositories: async function* (prefix, call) {
      for await (const { name } of listRepositories(open, prefix, call)) yield name;
    },
    listRepositories: (prefix, call) => listRepositories(open, prefix, call),
    describeRepository: (name, call) => describe(open(name), name, call),
    images: (name, call) => images(open(name), name, call),
    search: (query, call) => search(open(), query, call),
    createRepository: (name, call) => createRepository(open(name, "Read & Write"), name, call),
    deleteRepository: (name, call) => deleteRepository(open(name, "Read, Write, Delete"), name, call),
    deleteTag: (name, tag, call) => deleteTag(open, name, tag, call),
    immutability: (name, call) => immutability(open(name), name, call),
    setImmutability: (name, wanted, call) => setImmutability(open(name, "Read, Write, Delete"), name, wanted, call),
    allowances: (call) => hubAllowances(context, open(), call),
  };
}

async function* listRepositories(open: OpenHub, prefix = "", call?: Call): AsyncGenerator<RepositoryInfo, void> {
  const slash = prefix.indexOf("/");
  const named = slash < 0 ? prefix : prefix.slice(0, slash);
  const hub = open(named);
  const namespace = named || (await hub.account(call));
  if (!namespace) {
    throw new RegistryError("INVALID", "Docker Hub lists the repositories of one namespace", {
      hint: "name it, such as docker.io/library, or log in for your own",
    });
  }
  const name = slash < 0 ? "" : prefix.slice(slash + 1);
  const pages = hub.lists(pathOf({ namespace }), {
    ...call,
    what: `list the repositories of ${namespace} at Docker Hub`,
    query: { name: name || undefined, ordering: "name" },
  });
  for await (const page of pages) {
    for (const fields of page) {
      const info = repositoryOf(fields);
      if (info?.name.startsWith(`${namespace}/${name}`)) yield info;
    }
  }
}

async function describe(hub: Hub, repository: string, call?: Call): Promise<RepositoryInfo | undefined> {
  const fields = await read(hub, repository, call, [404]);
  return fields && repositoryOf(fields);
}

/** What the API says of a repository; undefined for a status that is accepted besides. */
async function read(
  hub: Hub,
  repository: string,
  call: Call = {},
  accept: readonly number[] = [],
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const what = `read ${repository} at Docker Hub`;
  const { status, body } = await hub.send("GET", pathOf(hubName(repository)), { ...call, what, accept });
  return status === 200 && isObject(body) ? body : undefined;
}

async function* images(hub: Hub, repository: string, call?: Call): AsyncGenerator<ImageInfo, void> {
  const what = `list the tags of ${repository} at Docker Hub`;
  for await (const page of hub.lists(`${pathOf(hubName(repository))}/tags`, { ...call, what })) {
    for (const fields of page) {
      const image = imageOf(fields);
      if (image) yield image;
    }
  }
}

/** How many results are looked through at most: the API filters nothing itself. */
const searchLimit = 1000;

async function* search(
  hub: Hub,
  { term, limit = searchLimit, official, automated, stars = 0 }: SearchQuery,
  call?: Call,
): AsyncGenerator<SearchResult, void> {
  const isFiltered = official !== undefined || automated !== undefined || stars > 0;
  const pages = hub.lists("/v2/search/repositories/", {
    ...call,
    what: `search Docker Hub for ${JSON.stringify(term)}`,
    query: { query: term, page_size: isFiltered ? pageSize : Math.max(1, Math.min(limit, pageSize)) },
  });
  const fits = (result: SearchResult): boolean =>
    (official === undefined || result.official === official) &&
    (automated === undefined || result.automated === automated) &&
    (result.stars ?? 0) >= stars;
  let [read, found] = [0, 0];
  for await (const page of pages) {
    for (const fields of page) {
      const result = resultOf(fields);
      if (result && fits(result) && found++ < limit) yield result;
      if (++read >= searchLimit || found >= limit) return;
    }
  }
}

async function createRepository(hub: Hub, repository: string, call?: Call): Promise<"created" | "exists"> {
  const { namespace, name } = hubName(repository);
  try {
    await hub.send("POST", pathOf({ namespace }), {
      ...call,
      what: `create ${repository} at Docker Hub`,
      body: { namespace, name, registry: "docker.io" },
    });
    return "created";
  } catch (error) {
    // What is there already is refused with a status that has other meanings too.
    if (isRegistryError(error, "INVALID", "CONFLICT") && (await read(hub, repository, call, [404]))) return "exists";
    throw error;
  }
}

async function deleteRepository(
  hub: Hub,
  repository: string,
  { force, ...call }: Call & { readonly force?: boolean } = {},
): Promise<void> {
  const { namespace, name } = hubName(repository);
  const what = `delete ${repository} at Docker Hub`;
  if (!force) {
    for await (const page of hub.lists(`${pathOf({ namespace, name })}/tags`, {
      ...call,
      what,
      query: { page_size: 1 },
    })) {
      if (page.length === 0) break;
      throw new RegistryError("CONFLICT", `cannot ${what}: it has images`, { hint: "with force they go too" });
    }
  }
  await hub.send("DELETE", `/v2/repositories/${namespace}/${name}/`, { ...call, what });
}

async function deleteTag(open: OpenHub, repository: string, tag: string, call?: Call): Promise<void> {
  const { namespace, name } = hubName(repository);
  if (!isTag(tag)) throw new RegistryError("INVALID", `${JSON.stringify(tag)} is no tag`);
  await open(repository, "Read, Write, Delete").send("DELETE", `/v2/repositories/${namespace}/${name}/tags/${tag}/`, {
    ...call,
    what: `delete the tag ${repository}:${tag} at Docker Hub`,
    absent: "MANIFEST_UNKNOWN",
  });
}

async function immutability(hub: Hub, repository: string, call?: Call): Promise<Immutability> {
  return immutabilityOf((await read(hub, repository, call)) ?? {}) ?? { tags: "mutable" };
}

async function setImmutability(hub: Hub, repository: string, wanted: Immutability, call?: Call): Promise<void> {
  const except = exceptionsAsRegex(wanted);
  if (wanted.tags === "immutable" && except.length > 0) {
    throw new RegistryError("INVALID", "Docker Hub's rules name the tags that may not move, and none that may", {
      hint: "say that tags are mutable, except those that fit a regular expression",
    });
  }
  await hub.send("PATCH", `${pathOf(hubName(repository))}/immutabletags`, {
    ...call,
    what: `set which tags of ${repository} may move at Docker Hub`,
    body: {
      immutable_tags: wanted.tags === "immutable" || except.length > 0,
      immutable_tags_rules: except.length > 0 ? except : [everyTag],
    },
  });
}
