import { isObject } from "../../oci/descriptor.ts";
import { isAbsent, isRegistryError, RegistryError } from "../../oci/error.ts";
import { isRepository } from "../../oci/reference.ts";
import type { Call, Registry } from "../../store/store.ts";
import { countOf, momentOf, objectsIn, textOf } from "../answers.ts";
import type { RepositoryInfo } from "../service.ts";
import type { GitLab } from "./api.ts";

/** Where a repository is: its project, and its number where it has been pushed to. */
export interface Place {
  /** As in the addresses of the API: `group%2Fproject`. */
  readonly project: string;
  readonly path: string;
  readonly id?: number;
}

/** A repository that is there, and its address in the API. */
export interface Found extends Place {
  readonly id: number;
  readonly address: string;
}

/** Where repositories are; what was found is not looked for again. */
export interface Places {
  /** Throws NAME_UNKNOWN where there is no project for it. */
  find(repository: string, call?: Call): Promise<Place>;
  /** Throws NAME_UNKNOWN also for what was never pushed to. */
  found(repository: string, call?: Call): Promise<Found>;
  forget(repository: string): void;
}

/** Finds where repositories are, each with the login for it. */
export function placesOf(at: (repository: string) => GitLab, host: string, known: string | undefined): Places {
  const places = new Map<string, Place>();
  const find = async (repository: string, call?: Call): Promise<Place> => {
    const place = places.get(repository) ?? (await findPlace(at(repository), repository, host, { known, ...call }));
    if (place.id !== undefined) places.set(repository, place);
    return place;
  };
  return {
    find,
    async found(repository, call) {
      const { project, path, id } = await find(repository, call);
      if (id === undefined) throw new RegistryError("NAME_UNKNOWN", `there is no ${host}/${repository}`, { host });
      return { project, path, id, address: `/projects/${project}/registry/repositories/${id}` };
    },
    forget: (repository) => places.delete(repository),
  };
}

interface Row {
  readonly id: number;
  readonly info: RepositoryInfo;
}

const kinds = ["projects", "groups"] as const;

/** What `path/of/a/name` may begin with, the longest first, down to `least` components. */
function prefixesOf(name: string, least: number): readonly string[] {
  const parts = name.split("/");
  return parts
    .map((_, index) => parts.slice(0, parts.length - index).join("/"))
    .slice(0, Math.max(0, parts.length - least + 1));
}

/** The registry's repositories of a project or group, those of a project with how many tags they have where it is asked for. */
async function* rowsOf(
  api: GitLab,
  kind: "projects" | "groups",
  path: string,
  { tags = false, ...call }: Call & { readonly tags?: boolean } = {},
): AsyncGenerator<Row, void> {
  const rest = await api.rest(call);
  const what = `list the repositories of ${path}`;
  const pages = rest.pages(`/${kind}/${encodeURIComponent(path)}/registry/repositories`, {
    what,
    query: { per_page: 100, ...(tags && kind === "projects" && { tags_count: "true" }) },
    ...call,
  });
  for await (const { body } of pages) yield* objectsIn(body).flatMap((item) => rowOf(item) ?? []);
}

/**
 * Finds where a repository is: `group/project/image` may be a project, or an image of `group/project`; names of groups and
 * projects are never the same, so that the first that is there is right. `known`, the project of a CI job, is tried first.
 */
async function findPlace(
  api: GitLab,
  repository: string,
  host: string,
  { known, ...call }: Call & { readonly known?: string | undefined } = {},
): Promise<Place> {
  const candidates = prefixesOf(repository, 2);
  if (candidates.length === 0) {
    throw new RegistryError("NAME_INVALID", `${JSON.stringify(repository)} has no project`, {
      host,
      hint: `a repository of ${host} is GROUP/PROJECT, or more`,
    });
  }
  const first = candidates.filter((path) => path === known?.toLowerCase());
  let unseen: RegistryError | undefined;
  for (const path of new Set([...first, ...candidates])) {
    const place = { project: encodeURIComponent(path), path };
    try {
      for await (const { id, info } of rowsOf(api, "projects", path, call)) {
        if (info.name === repository) return { ...place, id };
      }
      return place;
    } catch (error) {
      if (!isAbsent(error)) throw error;
      unseen = error;
    }
  }
  throw new RegistryError("NAME_UNKNOWN", `there is no project for ${host}/${repository}`, {
    host,
    hint: unseen?.hint ?? "or this login may not see it",
    cause: unseen,
  });
}

/** The repositories whose names start with a prefix that names a group or project, or goes on after one. */
export async function* listBelow(
  api: GitLab,
  prefix: string,
  host: string,
  call?: Call,
): AsyncGenerator<RepositoryInfo, void> {
  let unseen: RegistryError | undefined;
  for (const path of prefixesOf(prefix.replace(/\/+$/, ""), 1)) {
    for (const kind of path.includes("/") ? kinds : kinds.slice(1)) {
      try {
        for await (const { info } of rowsOf(api, kind, path, { tags: true, ...call }))
          if (info.name.startsWith(prefix)) yield info;
        return;
      } catch (error) {
        if (!isAbsent(error)) throw error;
        unseen = error;
      }
    }
  }
  throw new RegistryError("NAME_UNKNOWN", `there is no group or project for ${host}/${prefix}`, {
    host,
    hint: `${unseen?.hint ?? "or this login may not see it"}; of a user, name the project: ${host}/USER/PROJECT`,
    cause: unseen,
  });
}

/** All repositories, which the catalog lists to administrators alone. */
export async function* listAll(registry: Registry, call?: Call): AsyncGenerator<RepositoryInfo, void> {
  try {
    for await (const name of registry.repositories("", call)) yield { name };
  } catch (error) {
    if (!isRegistryError(error, "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "NAME_UNKNOWN")) throw error;
    throw new RegistryError("DENIED", `${registry.name} lists all its repositories to administrators alone`, {
      host: registry.name,
      hint: `name a group or project: ${registry.name}/GROUP`,
      cause: error,
    });
  }
}

/** All that GitLab tells of a repository. */
export async function describePlace(api: GitLab, { id }: Place, call?: Call): Promise<RepositoryInfo | undefined> {
  if (id === undefined) return undefined;
  const rest = await api.rest(call);
  const { body } = await rest.send("GET", `/registry/repositories/${id}`, {
    what: "read a repository",
    query: { tags_count: "true", size: "true" },
    ...call,
  });
  return isObject(body) ? rowOf(body)?.info : undefined;
}

function rowOf(item: Readonly<Record<string, unknown>>): Row | undefined {
  const [id, tags, size] = ["id", "tags_count", "size"].map((name) => countOf(item[name]));
  const name = typeof item["path"] === "string" ? item["path"].toLowerCase() : "";
  if (id === undefined || !isRepository(name)) return undefined;
  const created = momentOf(item["created_at"]);
  const state = textOf(item["status"])?.replaceAll("_", " ");
  return {
    id,
    info: {
      name,
      ...(created !== undefined && { created }),
      ...(tags !== undefined && { tags }),
      ...(size !== undefined && { size }),
      ...(state !== undefined && { state }),
    },
  };
}
