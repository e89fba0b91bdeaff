import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { requireDocument } from "../../policy/lifecycle/check.ts";
import type { Call } from "../../store/store.ts";
import { parseQuota } from "../../transport/rate-limit.ts";
import { unsupported } from "../abilities.ts";
import { protocolService } from "../protocol.ts";
import type { ServiceContext } from "../provider.ts";
import type { LifecyclePolicy, RepositoryInfo, ServiceRegistry } from "../service.ts";
import { baseOf, gitLab, type GitLab } from "./api.ts";
import { listedImages, queriedImages } from "./images.ts";
import { describePlace, findPlace, listBelow, type Place } from "./projects.ts";
import { immutabilityOf, setImmutability } from "./protection.ts";
import { gitlab } from "./provider.ts";

/** The registry with what GitLab's APIs do beyond it. */
export async function connect(context: ServiceContext): Promise<ServiceRegistry> {
  const { host, registry, clock, env } = context;
  const protocol = protocolService(gitlab, context);
  const base = baseOf(context, gitlab.matches(host));
  const at = (repository: string): GitLab => gitLab(context, base, repository);
  const isForRegistry = async (repository: string, call?: Call): Promise<boolean> =>
    (await at(repository).login(call)).kind === "registry";

  const places = new Map<string, Place>();
  const placeOf = async (repository: string, call?: Call): Promise<Place> => {
    const known = places.get(repository);
    if (known) return known;
    const place = await findPlace(at(repository), repository, host, { known: env["CI_PROJECT_PATH"], ...call });
    if (place.id !== undefined) places.set(repository, place);
    return place;
  };
  const foundOf = async (repository: string, call?: Call): Promise<Found> => {
    const place = await placeOf(repository, call);
    const { project, id } = place;
    if (id === undefined) throw new RegistryError("NAME_UNKNOWN", `there is no ${host}/${repository}`, { host });
    return { ...place, id, address: `/projects/${project}/registry/repositories/${id}` };
  };

  async function* list(prefix = "", call?: Call): AsyncGenerator<RepositoryInfo, void> {
    if (prefix !== "") yield* listBelow(at(prefix), prefix, host, call);
    else yield* listAll(context, call);
  }
  async function deleteTag(repository: string, tag: string, call?: Call): Promise<void> {
    if (await isForRegistry(repository, call)) return registry.repository(repository).deleteTag(tag, call);
    const { address } = await foundOf(repository, call);
    const rest = await at(repository).rest(call);
    const what = `delete the tag ${tag} of ${repository}`;
    await rest.send("DELETE", `${address}/tags/${encodeURIComponent(tag)}`, {
      what,
      absent: "MANIFEST_UNKNOWN",
      ...call,
    });
    return undefined;
  }

  return {
    ...protocol,
    repository: (name) => ({
      ...registry.repository(name),
      deleteTag: (tag, call) => deleteTag(name, tag, call),
    }),
    async *repositories(prefix, call) {
      for await (const { name } of list(prefix, call)) yield name;
    },
    listRepositories: list,
    async describeRepository(repository, call) {
      if (await isForRegistry(repository, call)) return protocol.describeRepository(repository, call);
      return describe(at(repository), () => placeOf(repository, call), call);
    },
    async *images(repository, call) {
      const api = at(repository);
      const { kind } = await api.login(call);
      if (kind === "registry") yield* protocol.images(repository, call);
      else {
        const { address, id } = await foundOf(repository, call);
        yield* kind === "job" ? listedImages(api, address, call) : queriedImages(api, id, call);
      }
    },
    // eslint-disable-next-line require-yield
    async *search() {
      throw unsupported(gitlab.title, host, "search", gitlab.abilities.search);
    },
    async deleteRepository(repository, { force, ...call } = {}) {
      const found = await foundOf(repository, call);
      const info = force ? undefined : await describePlace(at(repository), found, call);
      if (info && info.tags !== 0) {
        throw new RegistryError("CONFLICT", `${host}/${repository} has ${info.tags ?? "some"} tags`, {
          host,
          hint: "with force, they are deleted with it",
        });
      }
      await (await at(repository).rest(call)).send("DELETE", found.address, { what: `delete ${repository}`, ...call });
      places.delete(repository);
    },
    deleteTag,
    async immutability(repository, call) {
      return immutabilityOf(at(repository), (await placeOf(repository, call)).path, call);
    },
    async setImmutability(repository, immutability, call) {
      await setImmutability(at(repository), (await placeOf(repository, call)).path, immutability, call);
    },
    async lifecycle(repository, call) {
      const policy = await policyOf(at(repository), await placeOf(repository, call), undefined, call);
      return isObject(policy.document) && policy.document["enabled"] === true ? policy : undefined;
    },
    async setLifecycle(repository, document, call) {
      requireDocument("gitlab", document);
      return policyOf(
        at(repository),
        await placeOf(repository, call),
        { enabled: true, ...(document as object) },
        call,
      );
    },
    async deleteLifecycle(repository, call) {
      await policyOf(at(repository), await placeOf(repository, call), { enabled: false }, call);
    },
    async allowances(call) {
      const rest = await at("").rest(call);
      const query = { per_page: 1, simple: "true" };
      const { headers } = await rest.send("GET", "/projects", {
        what: "read the limits of this login",
        query,
        ...call,
      });
      const quota = parseQuota(headers, clock.now());
      return quota ? [{ what: "requests to GitLab's API", unit: "requests", ...quota }] : [];
    },
  };
}

/** A repository that is there, and its address in the API. */
type Found = Place & { readonly id: number; readonly address: string };

/** All repositories are listed to administrators alone, by the catalog. */
async function* listAll({ registry, host }: ServiceContext, call?: Call): AsyncGenerator<RepositoryInfo, void> {
  try {
    for await (const name of registry.repositories("", call)) yield { name };
  } catch (error) {
    if (!isRegistryError(error, "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "NAME_UNKNOWN")) throw error;
    throw new RegistryError("DENIED", `${host} lists all its repositories to administrators alone`, {
      host,
      hint: `name a group or project: ${host}/GROUP`,
      cause: error,
    });
  }
}

async function describe(api: GitLab, find: () => Promise<Place>, call?: Call): Promise<RepositoryInfo | undefined> {
  try {
    return await describePlace(api, await find(), call);
  } catch (error) {
    if (isRegistryError(error, "NAME_UNKNOWN")) return undefined;
    throw error;
  }
}

/** Reads the cleanup policy of a project, after it was changed where there are changes ("Projects API"). */
async function policyOf(
  api: GitLab,
  { project, path }: Place,
  changes: object | undefined,
  call?: Call,
): Promise<LifecyclePolicy> {
  const rest = await api.rest(call);
  const { body } = await rest.send(changes ? "PUT" : "GET", `/projects/${project}`, {
    what: `${changes ? "change" : "read"} the cleanup policy of ${path}`,
    ...(changes && { body: { container_expiration_policy_attributes: changes } }),
    ...call,
  });
  const policy =
    isObject(body) && isObject(body["container_expiration_policy"]) ? body["container_expiration_policy"] : {};
  const { next_run_at: _next, ...document } = policy;
  return { dialect: "gitlab", document, scope: `project ${path}` };
}
