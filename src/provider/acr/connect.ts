import { isObject } from "../../oci/descriptor.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { isAbsent, RegistryError } from "../../oci/error.ts";
import { isTag } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { deleteEach, protocolService } from "../protocol.ts";
import type { Provider, ServiceContext } from "../provider.ts";
import type { Allowance, ReplicationRule, RepositoryInfo, ServiceRegistry } from "../service.ts";
import { attributesOf, countOf, immutabilityOf, momentOf, stateOf } from "./attributes.ts";
import { repositoryApi } from "./data-plane.ts";
import { rethrowLocked } from "./faults.ts";
import { manifestsOf } from "./images.ts";
import { readLocks, writeLocks } from "./locks.ts";
import { managementOf, type Management } from "./management.ts";
import { retentionOf } from "./retention.ts";

/** A registry with its own API (`/acr/v1`) and what Azure Resource Manager does for it. */
export function connectAcr(provider: Provider, context: ServiceContext): ServiceRegistry {
  const { host, registry } = context;
  const management = managementOf(context);
  const deleteTag = (repository: string, tag: string, call?: Call): Promise<void> =>
    untag(context, repository, tag, call);
  return {
    ...protocolService(provider, context),
    ...retentionOf(management, host),
    repository(name) {
      const store = registry.repository(name);
      return {
        ...store,
        deleteTag: (tag, call) => deleteTag(name, tag, call),
        deleteManifest: (digest, call) => store.deleteManifest(digest, call).catch(rethrowLocked),
      };
    },
    describeRepository: (repository, call) => describe(context, repository, call),
    images: (repository, call) => manifestsOf(context, repository, call),
    deleteRepository: (repository, call) => deleteRepository(context, repository, call),
    deleteTag,
    deleteManifests: (repository, digests, call) =>
      deleteEach({ deleteManifest: (digest) => drop(context, repository, digest, call) }, digests, call),
    immutability: (repository, call) => readLocks(context, repository, call),
    setImmutability: (repository, immutability, call) => writeLocks(context, repository, immutability, call),
    replication: (call) => replications(management, host, call),
    allowances: (call) => storage(management, host, call),
  };
}

async function describe(
  context: ServiceContext,
  repository: string,
  call: Call = {},
): Promise<RepositoryInfo | undefined> {
  try {
    const api = repositoryApi(context, repository, "metadata_read");
    const { body } = await api.send("GET", `/acr/v1/${repository}`, {
      ...call,
      what: `describe ${context.host}/${repository}`,
    });
    return infoOf(repository, isObject(body) ? body : {});
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function infoOf(name: string, body: Readonly<Record<string, unknown>>): RepositoryInfo {
  const attributes = attributesOf(body);
  const [created, updated] = [momentOf(body["createdTime"]), momentOf(body["lastUpdateTime"])];
  const [tags, images] = [countOf(body["tagCount"]), countOf(body["manifestCount"])];
  const state = stateOf(attributes);
  return {
    name,
    ...(created && { created }),
    ...(updated && { updated }),
    ...(tags !== undefined && { tags }),
    ...(images !== undefined && { images }),
    immutability: immutabilityOf(attributes),
    ...(state && { state }),
  };
}

async function deleteRepository(
  context: ServiceContext,
  repository: string,
  { force, ...call }: Call & { readonly force?: boolean } = {},
): Promise<void> {
  const { host } = context;
  const info = force ? undefined : await describe(context, repository, call);
  if (info && info.images !== 0) {
    throw new RegistryError("CONFLICT", `${host}/${repository} has ${info.images ?? "some"} images`, {
      host,
      hint: "with --force they are deleted with it",
    });
  }
  const api = repositoryApi(context, repository, "delete");
  await api.send("DELETE", `/acr/v1/${repository}`, { ...call, what: `delete ${host}/${repository}` });
}

/** Takes a tag away; its manifest stays. */
async function untag(context: ServiceContext, repository: string, tag: string, call: Call = {}): Promise<void> {
  const { host } = context;
  if (!isTag(tag)) throw new RegistryError("INVALID", `${JSON.stringify(tag)} is no tag`, { host });
  await repositoryApi(context, repository, "delete").send("DELETE", `/acr/v1/${repository}/_tags/${tag}`, {
    ...call,
    what: `delete the tag ${host}/${repository}:${tag}`,
    absent: "MANIFEST_UNKNOWN",
  });
}

/** Deletes a manifest with its tags, by the distribution API: the service has no other way. */
async function drop(context: ServiceContext, repository: string, digest: Digest, call: Call = {}): Promise<void> {
  const { host } = context;
  if (!isDigest(digest)) throw new RegistryError("DIGEST_INVALID", `${JSON.stringify(digest)} is no digest`, { host });
  await repositoryApi(context, repository, "delete").send("DELETE", `/v2/${repository}/manifests/${digest}`, {
    ...call,
    what: `delete ${host}/${repository}@${digest}`,
    absent: "MANIFEST_UNKNOWN",
  });
}

async function* replications(management: Management, host: string, call?: Call): AsyncGenerator<ReplicationRule, void> {
  const { location } = await management.read(call);
  for await (const { name, location: to, properties } of management.list(
    "replications",
    `list the replications of ${host}`,
    call,
  )) {
    if (!isWord(name) || !isWord(to)) continue;
    const isEnabled = !isObject(properties) || properties["regionEndpointEnabled"] !== false;
    yield { name, ...(location && { from: location }), to, enabled: isEnabled, trigger: "each push" };
  }
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]+$/.test(value);
}

async function storage(management: Management, host: string, call?: Call): Promise<readonly Allowance[]> {
  const usages = await Array.fromAsync(management.list("listUsages", `read the usage of ${host}`, call));
  return usages.flatMap(({ name, unit, limit: most, currentValue }): readonly Allowance[] => {
    const [limit, used] = [countOf(most), countOf(currentValue)];
    if (name !== "Size" || unit !== "Bytes" || limit === undefined || used === undefined) return [];
    return [{ what: "storage", unit: "bytes", limit, used, remaining: Math.max(0, limit - used), source: host }];
  });
}
