import { until } from "../../auth/until.ts";
import { isObject } from "../../oci/descriptor.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { isAbsent, RegistryError } from "../../oci/error.ts";
import { isRepository, isTag } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { countOf, momentOf, objectsIn, textOf } from "../answers.ts";
import type { RepositoryInfo } from "../service.ts";
import type { GitHub } from "./api.ts";

/** A repository as GitHub has it: a package of an owner. */
export interface PackageName {
  readonly owner: string;
  /** May have slashes. */
  readonly name: string;
}

/** One version of a package: a manifest, be it an image, an index or one of its children. */
export interface Version {
  readonly id: number;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly pushed?: string;
}

/** Reads `owner/name`, in whatever case; throws NAME_INVALID for what has no owner. */
export function packageName(repository: string, host: string): PackageName {
  const slash = repository.indexOf("/");
  const lower = repository.toLowerCase();
  if (!isRepository(lower)) {
    throw new RegistryError("NAME_INVALID", `${JSON.stringify(repository)} is no name of a repository`, { host });
  }
  if (slash > 0) {
    return { owner: lower.slice(0, slash), name: lower.slice(slash + 1) };
  }
  throw new RegistryError("NAME_INVALID", `${JSON.stringify(repository)} has no owner`, {
    host,
    hint: `a repository of ${host} is OWNER/NAME`,
  });
}

/** The packages of owners. */
export interface Packages {
  /** All of an owner, or without one all of the login's own. */
  list(owner: string | undefined, call?: Call): AsyncIterable<RepositoryInfo>;
  describe(name: PackageName, call?: Call): Promise<RepositoryInfo | undefined>;
  versions(name: PackageName, call?: Call): AsyncIterable<Version>;
  deleteVersion(name: PackageName, version: Version, call?: Call): Promise<void>;
  delete(name: PackageName, call?: Call): Promise<void>;
}

/** Where owners' packages are; they differ for organizations and users, which is asked once. */
export type Homes = Map<string, Promise<string>>;

/** Reads and deletes packages by GitHub's REST API ("REST API endpoints for packages"). */
export function packagesOf(api: GitHub, homes: Homes): Packages {
  const homeOf = (owner: string, call?: Call): Promise<string> => {
    // For all who ask: the first of them may give up.
    const known = homes.get(owner) ?? findHome(api, owner);
    homes.set(owner, known);
    known.catch(() => homes.delete(owner));
    return until(known, call?.signal);
  };
  const pathOf = async ({ owner, name }: PackageName, call?: Call): Promise<string> =>
    `${await homeOf(owner, call)}/packages/container/${encodeURIComponent(name)}`;
  const shown = ({ owner, name }: PackageName): string => `${owner}/${name}`;

  return {
    async *list(owner, call) {
      const home = owner === undefined ? "/user" : await homeOf(owner, call);
      const what = owner === undefined ? "list the packages of this login" : `list the packages of ${owner}`;
      const query = { package_type: "container", per_page: 100 };
      for await (const { body } of api.pages(`${home}/packages`, { what, query, ...call })) {
        yield* objectsIn(body).flatMap((item) => describe(item) ?? []);
      }
    },
    async describe(name, call) {
      const what = `read the package ${shown(name)}`;
      try {
        const { body } = await api.send("GET", await pathOf(name, call), { what, ...call });
        return { ...(isObject(body) && describe(body)), name: shown(name) };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    async *versions(name, call) {
      const request = { what: `list the images of ${shown(name)}`, query: { per_page: 100 }, ...call };
      for await (const { body } of api.pages(`${await pathOf(name, call)}/versions`, request)) {
        yield* objectsIn(body).flatMap((item) => versionOf(item) ?? []);
      }
    },
    async deleteVersion(name, { id, digest }, call) {
      const what = `delete ${digest} of ${shown(name)}`;
      await api.send("DELETE", `${await pathOf(name, call)}/versions/${id}`, {
        what,
        absent: "MANIFEST_UNKNOWN",
        ...call,
      });
    },
    async delete(name, call) {
      await api.send("DELETE", await pathOf(name, call), { what: `delete the package ${shown(name)}`, ...call });
    },
  };
}

async function findHome(api: GitHub, owner: string): Promise<string> {
  const name = encodeURIComponent(owner);
  const { body } = await api.send("GET", `/users/${name}`, { what: `find the owner ${owner}` });
  return isObject(body) && body["type"] === "Organization" ? `/orgs/${name}` : `/users/${name}`;
}

function describe(item: Readonly<Record<string, unknown>>): RepositoryInfo | undefined {
  const owner = isObject(item["owner"]) ? item["owner"]["login"] : undefined;
  if (typeof owner !== "string" || typeof item["name"] !== "string") return undefined;
  const name = `${owner}/${item["name"]}`.toLowerCase();
  if (!isRepository(name)) return undefined;
  const [created, updated] = [momentOf(item["created_at"]), momentOf(item["updated_at"])];
  const images = countOf(item["version_count"]);
  const { visibility, repository } = item;
  const description = isObject(repository) ? textOf(repository["description"]) : undefined;
  return {
    name,
    ...(created !== undefined && { created }),
    ...(updated !== undefined && { updated }),
    ...(images !== undefined && { images }),
    ...(description !== undefined && { description }),
    ...((visibility === "public" || visibility === "private") && { visibility }),
  };
}

function versionOf({ id, name, created_at, metadata }: Readonly<Record<string, unknown>>): Version | undefined {
  const number = countOf(id);
  if (number === undefined || typeof name !== "string" || !isDigest(name)) return undefined;
  const container = isObject(metadata) && isObject(metadata["container"]) ? metadata["container"] : {};
  const tags: readonly unknown[] = Array.isArray(container["tags"]) ? container["tags"] : [];
  const pushed = momentOf(created_at);
  return {
    id: number,
    digest: name,
    tags: tags.filter((tag) => typeof tag === "string" && isTag(tag)) as readonly string[],
    ...(pushed !== undefined && { pushed }),
  };
}
