import { imageConfig } from "../graph/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent, isRegistryError, RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isIndexType } from "../oci/media-types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Call, Store } from "../store/store.ts";
import { discard } from "../transport/transport.ts";
import { unsupported, type AbilityName } from "./abilities.ts";
import { momentOf } from "./answers.ts";
import { inOrder } from "./in-order.ts";
import type { Provider, ServiceContext } from "./provider.ts";
import type { Allowance, Deletion, ImageInfo, SearchQuery, SearchResult, ServiceRegistry } from "./service.ts";

/**
 * What the distribution API alone can do of all that a service may; the rest throws UNSUPPORTED as the provider's abilities
 * say. A provider spreads this and puts its own calls over it.
 */
export function protocolService(
  { title, abilities }: Pick<Provider, "title" | "abilities">,
  context: ServiceContext,
): ServiceRegistry {
  const { registry, host } = context;
  const refuse = (name: AbilityName): never => {
    throw unsupported(title, host, name, abilities[name]);
  };
  // eslint-disable-next-line require-yield
  async function* refuseList(name: AbilityName): AsyncGenerator<never, void> {
    refuse(name);
  }
  const can = (name: AbilityName): boolean => abilities[name].how !== "impossible";
  return {
    ...registry,
    async *listRepositories(prefix, call) {
      for await (const name of registry.repositories(prefix, call)) yield { name };
    },
    async describeRepository(name, call) {
      try {
        const tags = await Array.fromAsync(registry.repository(name).tags(call));
        return { name, tags: tags.length };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    images: (repository, call) =>
      call?.own ? refuseList("images") : taggedImages(registry.repository(repository), call),
    search: (query, call) => (can("search") ? searchCatalog(context, query, call) : refuseList("search")),
    createRepository: async () => refuse("createRepository"),
    deleteRepository: async () => refuse("deleteRepository"),
    deleteTag: async (repository, tag, call) =>
      can("deleteTag") ? registry.repository(repository).deleteTag(tag, call) : refuse("deleteTag"),
    deleteManifests: (repository, digests, call) =>
      can("deleteManifests")
        ? deleteEach(registry.repository(repository), digests, call)
        : refuseList("deleteManifests"),
    immutability: async () => refuse("immutability"),
    setImmutability: async () => refuse("setImmutability"),
    lifecycle: async () => refuse("lifecycle"),
    setLifecycle: async () => refuse("setLifecycle"),
    deleteLifecycle: async () => refuse("deleteLifecycle"),
    previewLifecycle: () => refuseList("previewLifecycle"),
    labels: async () => refuse("labels"),
    replication: () => refuseList("replication"),
    findings: async () => refuse("findings"),
    allowances: async (call) => (can("allowances") ? allowances(context, call) : refuse("allowances")),
  };
}

const atOnce = 8;

/** The images that tags name, read one by one: their times are those of their configs. */
function taggedImages(store: Store, call: Call = {}): AsyncGenerator<ImageInfo, void> {
  return inOrder(store.tags(call), atOnce, async (tag) => ({ tags: [tag], ...(await readImage(store, tag, call)) }));
}

/** What a tag or digest is; a tag that went away meanwhile has no digest. */
async function readImage(store: Store, ref: string, call: Call): Promise<Omit<ImageInfo, "tags">> {
  const root = await store.manifest(ref, call);
  if (!root) return {};
  const { digest, mediaType, artifactType } = root.descriptor;
  const isIndex = isIndexType(mediaType);
  const entries = root.manifests.filter(({ platform }) => platform?.os !== "unknown");
  const children = isIndex
    ? (await Promise.all(entries.map((entry) => store.manifest(entry.digest, call)))).filter(
        (child) => child !== undefined,
      )
    : [root];
  const first = children.find((child) => !isIndexType(child.descriptor.mediaType) && child.config);
  const config = first && (await imageConfig(store, first, call)).config;
  const created = momentOf(config?.created);
  const named = entries.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : []));
  const platforms = named.length > 0 ? named : config && !isIndex ? platformsOf(config) : [];
  return {
    digest,
    mediaType,
    size: totalSize([root, ...children]),
    sizeKind: isIndex ? "children" : "manifest",
    ...(created !== undefined && { created }),
    ...(platforms.length > 0 && { platforms }),
    ...((isIndex || !config) && artifactType && { artifactType }),
    ...(root.subject && { subject: root.subject.digest }),
    ...(isIndex && { children: root.manifests.map((child) => child.digest) }),
  };
}

function platformsOf({ os, architecture, variant }: Partial<Platform>): readonly string[] {
  const isWord = (text: unknown): boolean => typeof text === "string" && /^[\w.-]{1,100}$/.test(text);
  if (![os, architecture, variant || "none"].every(isWord)) return [];
  return os && architecture ? [formatPlatform({ os, architecture, ...(variant && { variant }) })] : [];
}

/** Bytes of manifests and all their blobs, what they share counted once. */
function totalSize(manifests: readonly Manifest[]): number {
  const parts: readonly Descriptor[] = manifests.flatMap((manifest) => [manifest.descriptor, ...manifest.blobs]);
  return new Map(parts.map(({ digest, size }) => [digest, size])).values().reduce((sum, size) => sum + size, 0);
}

/** Searches the names of all repositories. */
async function* searchCatalog(
  { registry, host }: ServiceContext,
  { term, limit = Infinity, official, automated, stars }: SearchQuery,
  call?: Call,
): AsyncGenerator<SearchResult, void> {
  if (official !== undefined || automated !== undefined || stars !== undefined) {
    throw new RegistryError("UNSUPPORTED", `${host} knows nothing of its repositories but their names`, {
      host,
      hint: "search without filters",
    });
  }
  let found = 0;
  for await (const name of registry.repositories("", call)) {
    if (found >= limit) return;
    if (!name.includes(term.toLowerCase())) continue;
    found++;
    yield { name, reference: `${host}/${name}` };
  }
}

/** Deletes manifests one by one, a few at a time, in the order given. */
export function deleteEach(
  store: Pick<Store, "deleteManifest">,
  digests: readonly Digest[],
  call?: Call,
): AsyncGenerator<Deletion, void> {
  return inOrder(digests, atOnce, async (digest): Promise<Deletion> => {
    try {
      await store.deleteManifest(digest, call);
      return { digest, outcome: "deleted" };
    } catch (error) {
      if (!isRegistryError(error) || error.code === "ABORTED") throw error;
      return isAbsent(error) ? { digest, outcome: "absent" } : { digest, outcome: "failed", error };
    }
  });
}

/** What the registry tells of its limit with the answer to its version check. */
async function allowances(
  { authenticated, host, quota }: ServiceContext,
  call: Call = {},
): Promise<readonly Allowance[]> {
  const { origin } = new URL(`https://${host}`);
  await discard(await authenticated({ method: "GET", url: new URL("/v2/", origin), headers: {}, ...call }));
  const told = quota();
  return told ? [{ what: "requests", unit: "requests", ...told }] : [];
}
