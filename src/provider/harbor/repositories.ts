import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { isRepository } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import type { ServiceContext } from "../provider.ts";
import type { RepositoryInfo, SearchQuery, SearchResult, ServiceRegistry } from "../service.ts";
import { pageSize, type Harbor, type OpenHarbor } from "./api.ts";
import { countIn, defined, fieldsIn, momentIn, textIn, type Fields } from "./fields.ts";
import { named, placeOf, projectPath, repositoryPath } from "./place.ts";
import { findProject } from "./project.ts";

type Repositories = Pick<
  ServiceRegistry,
  "listRepositories" | "repositories" | "describeRepository" | "search" | "createRepository" | "deleteRepository"
>;

/** The repositories of all projects that a login may see. */
export function harborRepositories(context: ServiceContext, open: OpenHarbor): Repositories {
  return {
    listRepositories: (prefix, call) => listRepositories(open, prefix, call),
    async *repositories(prefix, call) {
      for await (const { name } of listRepositories(open, prefix, call)) yield name;
    },
    describeRepository: (repository, call) => describeRepository(open, repository, call),
    search: (query, call) => search(context, open(), query, call),
    createRepository: (repository, call) => createRepository(context, open, repository, call),
    deleteRepository: (repository, call) => deleteRepository(open, repository, call),
  };
}

async function* listRepositories(open: OpenHarbor, prefix = "", call: Call = {}): AsyncGenerator<RepositoryInfo, void> {
  if (!isNamePart(prefix)) return;
  const slash = prefix.indexOf("/");
  const project = slash < 0 ? "" : prefix.slice(0, slash);
  if (slash >= 0 && !isRepository(project)) return;
  const what = project ? `list the repositories of project ${project}` : "list repositories";
  const path = project ? `${projectPath(project)}/repositories` : "/repositories";
  const rest = project ? prefix.slice(slash + 1) : prefix;
  const request = { ...call, what, query: { ...(rest && { q: `name=~${prefix}` }) } };
  try {
    for await (const info of infos(open(project), path, request)) {
      if (info.name.startsWith(prefix)) yield info;
    }
  } catch (error) {
    if (!(project && isRegistryError(error, "NAME_UNKNOWN"))) throw error;
  }
}

/** Whether names can have this in them; what Harbor would read as more of its query language cannot. */
function isNamePart(text: string): boolean {
  return /^[a-z0-9._/-]*$/.test(text);
}

async function* infos(
  harbor: Harbor,
  path: string,
  request: Parameters<Harbor["lists"]>[1],
): AsyncGenerator<RepositoryInfo, void> {
  for await (const page of harbor.lists(path, request)) {
    for (const item of page) {
      const info = repositoryInfo(item);
      if (info) yield info;
    }
  }
}

function repositoryInfo(fields: Fields): RepositoryInfo | undefined {
  const name = textIn(fields, "name");
  if (name === undefined || !isRepository(name)) return undefined;
  return defined<RepositoryInfo>({
    name,
    created: momentIn(fields, "creation_time"),
    updated: momentIn(fields, "update_time"),
    images: countIn(fields, "artifact_count"),
    description: textIn(fields, "description"),
    pulls: countIn(fields, "pull_count"),
  });
}

async function describeRepository(
  open: OpenHarbor,
  repository: string,
  call: Call = {},
): Promise<RepositoryInfo | undefined> {
  const { project, name } = placeOf(repository);
  if (name === "") return undefined;
  const harbor = open(repository);
  const [info, visibility] = await Promise.all([
    findRepository(harbor, repository, call),
    visibilityOf(harbor, project, call),
  ]);
  return info && { ...info, ...(visibility && { visibility }) };
}

async function findRepository(harbor: Harbor, repository: string, call: Call): Promise<RepositoryInfo | undefined> {
  try {
    return repositoryInfo(await harbor.object(repositoryPath(repository), { ...call, what: `describe ${repository}` }));
  } catch (error) {
    if (isRegistryError(error, "NAME_UNKNOWN")) return undefined;
    throw error;
  }
}

/** A robot may read a repository and not its project. */
async function visibilityOf(harbor: Harbor, project: string, call: Call): Promise<RepositoryInfo["visibility"]> {
  const { status, body } = await harbor.send("GET", projectPath(project), {
    ...call,
    what: `read project ${project}`,
    headers: named,
    accept: [200, 401, 403, 404],
  });
  if (status !== 200) return undefined;
  return fieldsIn(fieldsIn({ body }, "body"), "metadata")["public"] === "true" ? "public" : "private";
}

async function* search(
  { host }: ServiceContext,
  harbor: Harbor,
  { term, limit = Infinity, official, automated, stars }: SearchQuery,
  call: Call = {},
): AsyncGenerator<SearchResult, void> {
  if (official !== undefined || automated !== undefined || stars !== undefined) {
    throw new RegistryError("UNSUPPORTED", "Harbor marks no repository as official or automated, and has no stars", {
      host,
      hint: "search without filters",
    });
  }
  const part = term.toLowerCase();
  if (!isNamePart(part) || limit <= 0) return;
  const query = { page_size: Math.min(pageSize, limit), ...(part && { q: `name=~${part}` }) };
  let found = 0;
  for await (const info of infos(harbor, "/repositories", { ...call, what: `search for ${term}`, query })) {
    const { name, description, pulls } = info;
    yield defined<SearchResult>({ reference: `${host}/${name}`, name, description, pulls });
    if (++found >= limit) return;
  }
}

/** Harbor makes a repository with its first push, but only in a project that is there: that is what is made here. */
async function createRepository(
  { onWarning }: ServiceContext,
  open: OpenHarbor,
  repository: string,
  call: Call = {},
): Promise<"created" | "exists"> {
  const { project, name } = placeOf(repository);
  const harbor = open(project, "a system administrator, or leave for everyone to make projects");
  if (await hasProject(harbor, project, call)) {
    if (name !== "") onWarning?.(`project ${project} is there; ${repository} comes with its first push`);
    return "exists";
  }
  const { status } = await harbor.send("POST", "/projects", {
    ...call,
    what: `make project ${project}`,
    body: { project_name: project, metadata: { public: "false" } },
    accept: [201, 409],
  });
  if (status === 409) {
    throw new RegistryError("DENIED", `project ${project} is there, but this login has no part in it`, {
      hint: "ask its administrator for a role in it, or take another name",
    });
  }
  onWarning?.(`made project ${project}, which is private${name && `; ${repository} comes with its first push`}`);
  return "created";
}

/** Whether the project is there and may be seen; Harbor answers 403 for one that is not there. */
async function hasProject(harbor: Harbor, project: string, call: Call): Promise<boolean> {
  try {
    return (await findProject(harbor, project, call)) !== undefined;
  } catch (error) {
    if (isRegistryError(error) && error.status === 403) return false;
    throw error;
  }
}

async function deleteRepository(
  open: OpenHarbor,
  repository: string,
  { force, ...call }: Call & { readonly force?: boolean } = {},
): Promise<void> {
  const harbor = open(repository, "the role of a maintainer, or a robot that may delete repositories");
  if (!force) {
    const found = await findRepository(harbor, repository, call);
    if (!found) throw new RegistryError("NAME_UNKNOWN", `there is no ${repository}`);
    if (found.images !== 0) {
      throw new RegistryError("DENIED", `${repository} is not empty (images: ${found.images ?? "unknown"})`, {
        hint: "with force, they go too",
      });
    }
  }
  await harbor.send("DELETE", repositoryPath(repository), { ...call, what: `delete ${repository}` });
}
