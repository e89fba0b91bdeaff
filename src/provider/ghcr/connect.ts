import type { Digest } from "../../oci/digest.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { isObject } from "../../oci/descriptor.ts";
import type { Call } from "../../store/store.ts";
import { countOf } from "../answers.ts";
import { protocolService } from "../protocol.ts";
import type { ServiceContext } from "../provider.ts";
import type { Allowance, Deletion, RepositoryInfo, ServiceRegistry } from "../service.ts";
import { apiOf, gitHub, type GitHub } from "./api.ts";
import { packageName, packagesOf, type Homes, type PackageName, type Packages, type Version } from "./packages.ts";
import { ghcr } from "./provider.ts";

/** The registry with what GitHub's REST API does beyond it. Throws INVALID where it is not known where that API is. */
export async function connect(context: ServiceContext): Promise<ServiceRegistry> {
  const { host, registry, clock } = context;
  const protocol = protocolService(ghcr, context);
  const base = apiOf(context);
  const homes: Homes = new Map();
  const at = (repository: string): At => {
    const api = gitHub(context, base, repository);
    return { api, packages: packagesOf(api, homes), name: packageName(repository, host) };
  };
  async function* list(prefix = "", call?: Call): AsyncGenerator<RepositoryInfo, void> {
    const wanted = prefix.toLowerCase();
    const [owner = ""] = wanted.split("/", 1);
    const names = packagesOf(gitHub(context, base, owner), homes).list(owner || undefined, call);
    for await (const info of names) if (!wanted.includes("/") || info.name.startsWith(wanted)) yield info;
  }

  return {
    ...protocol,
    repository: (name) => ({
      ...registry.repository(name),
      deleteTag: (tag, call) => protocol.deleteTag(name, tag, call),
      async deleteManifest(digest, call) {
        for await (const { outcome, error } of deleteVersions(at(name), [digest], call)) {
          if (error) throw error;
          if (outcome === "absent") throw absent(host, name, digest);
        }
      },
    }),
    async *repositories(prefix, call) {
      for await (const { name } of list(prefix, call)) yield name;
    },
    listRepositories: list,
    async describeRepository(repository, call) {
      const { api, packages, name } = at(repository);
      return (await api.hasLogin(call)) ? packages.describe(name, call) : protocol.describeRepository(repository, call);
    },
    async *images(repository, call) {
      const { api, packages, name } = at(repository);
      if (!(await api.hasLogin(call))) yield* protocol.images(repository, call);
      else for await (const { id: _id, ...image } of packages.versions(name, call)) yield image;
    },
    deleteManifests: (repository, digests, call) => deleteVersions(at(repository), digests, call),
    async deleteRepository(repository, { force, ...call } = {}) {
      const { packages, name } = at(repository);
      if (!force) await refuseFull(at(repository), host, call);
      await packages.delete(name, call);
    },
    allowances: (call) => allowances(gitHub(context, base, ""), clock.now(), call),
  };
}

/** A package, and what speaks of it with the login for it. */
interface At {
  readonly api: GitHub;
  readonly packages: Packages;
  readonly name: PackageName;
}

function absent(host: string, repository: string, digest: Digest): RegistryError {
  return new RegistryError("MANIFEST_UNKNOWN", `${host}/${repository} has no ${digest}`, { host });
}

/** A package has at least one image, as long as it is there. */
async function refuseFull({ packages, name }: At, host: string, call: Call): Promise<void> {
  const info = await packages.describe(name, call);
  const shown = `${host}/${name.owner}/${name.name}`;
  if (!info) throw new RegistryError("NAME_UNKNOWN", `there is no ${shown}`, { host });
  if (info.images === 0) return;
  throw new RegistryError("CONFLICT", `${shown} has ${info.images ?? "some"} images`, {
    host,
    hint: "with force, they are deleted with it",
  });
}

/**
 * Lists the versions until all digests are found, and deletes one after the other, as GitHub asks for ("Best practices for
 * using the REST API"). Once a limit is reached or the login refused, nothing more is asked: the rest fails alike.
 */
async function* deleteVersions(
  { packages, name }: At,
  digests: readonly Digest[],
  call?: Call,
): AsyncGenerator<Deletion, void> {
  const versions = await findVersions(packages, name, new Set(digests), call);
  let stopped: RegistryError | undefined;
  for (const digest of digests) {
    const version = versions.get(digest);
    if (!version) {
      yield { digest, outcome: "absent" };
      continue;
    }
    const error = stopped ?? (await attempt(() => packages.deleteVersion(name, version, call)));
    if (isRegistryError(error, "TOOMANYREQUESTS", "UNAUTHORIZED")) stopped = error;
    if (isRegistryError(error, "MANIFEST_UNKNOWN")) yield { digest, outcome: "absent" };
    else if (error) yield { digest, outcome: "failed", error };
    else yield { digest, outcome: "deleted", tags: version.tags };
  }
}

async function findVersions(
  packages: Packages,
  name: PackageName,
  wanted: ReadonlySet<Digest>,
  call?: Call,
): Promise<ReadonlyMap<Digest, Version>> {
  const found = new Map<Digest, Version>();
  if (wanted.size === 0) return found;
  for await (const version of packages.versions(name, call)) {
    if (wanted.has(version.digest)) found.set(version.digest, version);
    if (found.size === wanted.size) break;
  }
  return found;
}

async function attempt(work: () => Promise<void>): Promise<RegistryError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!isRegistryError(error) || error.code === "ABORTED") throw error;
    return error;
  }
}

/** What `GET /rate_limit`, which counts for nothing itself, tells of the limit of an hour. */
async function allowances(api: GitHub, now: number, call: Call = {}): Promise<readonly Allowance[]> {
  const { body } = await api.send("GET", "/rate_limit", { what: "read the limits of this login", ...call });
  const resources = isObject(body) && isObject(body["resources"]) ? body["resources"] : {};
  const core = isObject(resources["core"]) ? resources["core"] : {};
  const [limit, remaining, used, reset] = ["limit", "remaining", "used", "reset"].map((name) => countOf(core[name]));
  if (limit === undefined) return [];
  return [
    {
      what: "requests to GitHub's API",
      unit: "requests",
      limit,
      windowSeconds: 3600,
      ...(remaining !== undefined && { remaining }),
      ...(used !== undefined && { used }),
      ...(reset !== undefined && { resetSeconds: Math.max(0, Math.ceil(reset - now / 1000)) }),
    },
  ];
}
