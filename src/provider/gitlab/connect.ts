import { isAbsent, RegistryError } from "../../oci/error.ts";
import { isTag } from "../../oci/reference.ts";
import { requireDocument } from "../../policy/lifecycle/check.ts";
import type { Call } from "../../store/store.ts";
import { parseQuota } from "../../transport/rate-limit.ts";
import { protocolService } from "../protocol.ts";
import type { ServiceContext } from "../provider.ts";
import type { Allowance, RepositoryInfo, ServiceRegistry } from "../service.ts";
import { baseOf, gitLab, type GitLab } from "./api.ts";
import { cleanupPolicy, isOn } from "./cleanup.ts";
import { listedImages, queriedImages } from "./images.ts";
import { describePlace, listAll, listBelow, placesOf, type Places } from "./projects.ts";
import { immutabilityOf, setImmutability } from "./protection.ts";
import { gitlab } from "./provider.ts";

/** The registry with what GitLab's APIs do beyond it. */
export async function connect(context: ServiceContext): Promise<ServiceRegistry> {
  const { host, clock, env } = context;
  const base = baseOf(context, gitlab.matches(host));
  const at = (repository: string): GitLab => gitLab(context, base, repository);
  const connection: Connection = { context, at, places: placesOf(at, host, env["CI_PROJECT_PATH"]) };
  const protocol = protocolService(gitlab, context);
  return {
    ...protocol,
    ...repositoryCalls(connection, protocol),
    ...imageCalls(connection, protocol),
    ...ruleCalls(connection),
    allowances: (call) => allowances(at(""), clock.now(), call),
  };
}

interface Connection {
  readonly context: ServiceContext;
  /** The APIs with the login for a repository. */
  readonly at: (repository: string) => GitLab;
  readonly places: Places;
}

function repositoryCalls(
  { context: { host, registry }, at, places }: Connection,
  protocol: ServiceRegistry,
): Pick<ServiceRegistry, "repositories" | "listRepositories" | "describeRepository" | "deleteRepository"> {
  const list = (prefix = "", call?: Call): AsyncGenerator<RepositoryInfo, void> =>
    prefix === "" ? listAll(registry, call) : listBelow(at(prefix), prefix, host, call);
  return {
    listRepositories: list,
    async *repositories(prefix, call) {
      for await (const { name } of list(prefix, call)) yield name;
    },
    async describeRepository(repository, call) {
      const api = at(repository);
      if ((await api.login(call)).kind === "registry") return protocol.describeRepository(repository, call);
      try {
        return await describePlace(api, await places.find(repository, call), call);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    async deleteRepository(repository, { force, ...call } = {}) {
      const api = at(repository);
      const found = await places.found(repository, call);
      const info = force ? undefined : await describePlace(api, found, call);
      if (!force && info?.tags !== 0) {
        throw new RegistryError("CONFLICT", `${host}/${repository} has ${info?.tags ?? "some"} tags`, {
          host,
          hint: "with force, they are deleted with it",
        });
      }
      await (await api.rest(call)).send("DELETE", found.address, { what: `delete ${repository}`, ...call });
      places.forget(repository);
    },
  };
}

function imageCalls(
  { context: { host, registry }, at, places }: Connection,
  protocol: ServiceRegistry,
): Pick<ServiceRegistry, "repository" | "images" | "deleteTag"> {
  const deleteTag = async (repository: string, tag: string, call?: Call): Promise<void> => {
    if (!isTag(tag)) throw new RegistryError("INVALID", `${JSON.stringify(tag)} is no tag`, { host });
    const api = at(repository);
    if ((await api.login(call)).kind === "registry") {
      await registry.repository(repository).deleteTag(tag, call);
      return;
    }
    const { address } = await places.found(repository, call);
    const what = `delete the tag ${tag} of ${repository}`;
    const rest = await api.rest(call);
    await rest.send("DELETE", `${address}/tags/${tag}`, {
      what,
      absent: "MANIFEST_UNKNOWN",
      ...call,
    });
  };
  return {
    repository: (name) => ({
      ...registry.repository(name),
      deleteTag: (tag, call) => deleteTag(name, tag, call),
    }),
    deleteTag,
    async *images(repository, call) {
      const api = at(repository);
      const { kind } = await api.login(call);
      if (kind === "registry") yield* protocol.images(repository, call);
      else {
        const { address, id } = await places.found(repository, call);
        yield* kind === "job" ? listedImages(api, address, call) : queriedImages(api, id, call);
      }
    },
  };
}

/** What holds for a whole project. */
function ruleCalls({
  at,
  places,
}: Connection): Pick<
  ServiceRegistry,
  "immutability" | "setImmutability" | "lifecycle" | "setLifecycle" | "deleteLifecycle"
> {
  return {
    async immutability(repository, call) {
      return immutabilityOf(at(repository), (await places.find(repository, call)).path, call);
    },
    async setImmutability(repository, immutability, call) {
      await setImmutability(at(repository), (await places.find(repository, call)).path, immutability, call);
    },
    async lifecycle(repository, call) {
      const policy = await cleanupPolicy(at(repository), await places.find(repository, call), undefined, call);
      return isOn(policy) ? policy : undefined;
    },
    async setLifecycle(repository, document, call) {
      requireDocument("gitlab", document);
      const changes = { enabled: true, ...(document as object) };
      return cleanupPolicy(at(repository), await places.find(repository, call), changes, call);
    },
    async deleteLifecycle(repository, call) {
      await cleanupPolicy(at(repository), await places.find(repository, call), { enabled: false }, call);
    },
  };
}

/** The headers of any answer tell of the limit; this one is small, and open to everybody. */
async function allowances(api: GitLab, now: number, call?: Call): Promise<readonly Allowance[]> {
  const rest = await api.rest(call);
  const { headers } = await rest.send("GET", "/projects", {
    what: "read the limits of this login",
    query: { per_page: 1, simple: "true" },
    ...call,
  });
  const quota = parseQuota(headers, now);
  return quota ? [{ what: "requests to GitLab's API", unit: "requests", ...quota }] : [];
}
