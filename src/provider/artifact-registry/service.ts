import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { protocolService } from "../protocol.ts";
import type { ServiceContext } from "../provider.ts";
import type { ImageInfo, ServiceRegistry } from "../service.ts";
import { accountsOf } from "./account.ts";
import { googleApis, registryApi } from "./api.ts";
import { deleteAll, deleteTagged, notEmpty, type Deleter } from "./deleting.ts";
import { readFindings } from "./findings.ts";
import { infoOf, listImages } from "./listing.ts";
import { isLegacyHost, parsePlace, splitProject } from "./place.ts";
import { artifactRegistry } from "./provider.ts";
import { createRepository, hasImages, removeRepository } from "./repositories.ts";
import { repositorySettings } from "./settings.ts";
import { readTagsList, tagsLists, type TagsList } from "./tags-list.ts";

/** A registry of Google's. Sends nothing yet. */
export function artifactRegistryService(context: ServiceContext): ServiceRegistry {
  const { host, registry } = context;
  const accounts = accountsOf(context);
  const apis = googleApis(context, accounts);
  const settings = repositorySettings(host, apis);
  const protocol = protocolService(artifactRegistry, context);
  const lists = registryApi(context);
  const list = (name: string, call?: Call): Promise<TagsList | undefined> => readTagsList(lists, host, name, call);
  const deleter = (name: string): Deleter => ({
    store: registry.repository(name),
    list: (call) => list(name, call),
  });
  const lister = {
    host,
    registry: lists,
    api: async (path: string, call?: Call) => ((await accounts(path, call)) ? apis("registry", path, call) : undefined),
  };
  const listRepositories: ServiceRegistry["listRepositories"] = (prefix = "", call) => listImages(lister, prefix, call);
  const isRepositoryItself = (name: string): boolean => !isLegacyHost(host) && splitProject(name).rest.length === 1;

  async function* images(name: string, call?: Call): AsyncGenerator<ImageInfo, void> {
    let isEmpty = true;
    for await (const page of tagsLists(lists, host, name, call)) {
      if (!page.images && page.tags.length > 0) {
        yield* protocol.images(name, call);
        return;
      }
      yield* page.images ?? [];
      isEmpty &&= (page.images ?? []).length === 0;
    }
    if (isEmpty) throw new RegistryError("NAME_UNKNOWN", `there are no images in ${host}/${name}`, { host });
  }

  return {
    ...protocol,
    ...settings.methods,
    images,
    listRepositories,
    async *repositories(prefix, call) {
      for await (const { name } of listRepositories(prefix, call)) yield name;
    },
    repository(name) {
      const store = registry.repository(name);
      return { ...store, deleteManifest: (digest, call) => deleteTagged(deleter(name), digest, call) };
    },
    async describeRepository(name, call) {
      if (isRepositoryItself(name)) return ifThere(settings.describe(name, call));
      const found = await ifThere(list(name, call));
      return found && isImage(found) ? infoOf(name, found) : undefined;
    },
    createRepository: (name, call) => createRepository(context, apis, name, call),
    async deleteRepository(name, { force = false, ...call } = {}) {
      parsePlace(host, name);
      const isFull = isRepositoryItself(name)
        ? (): Promise<boolean> => hasImages(context, apis, name, call)
        : async (): Promise<boolean> => isImage(await list(name, call));
      if (!force && (await isFull())) throw notEmpty(host, name);
      await removeRepository(context, apis, name, call);
    },
    deleteManifests: (name, digests, call) => deleteAll(deleter(name), digests, call),
    findings: (name, ref, call) => readFindings(context, apis, [name, ref], call),
  };
}

/** Whether there is anything but names below it; what is not told may be. */
function isImage(list: TagsList | undefined): boolean {
  return list !== undefined && (list.images === undefined || list.images.length + list.tags.length > 0);
}

/** What is not there is undefined. */
async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isRegistryError(error, "NAME_UNKNOWN")) return undefined;
    throw error;
  }
}
