import { bundles, parseBundleLocation } from "./bundle/read.ts";
import type { Client, InventoryCall } from "./client.ts";
import type { Inventory } from "./graph/inventory.ts";
import { knownManifests, type Known } from "./graph/known.ts";
import { readInventory, type Listed } from "./graph/read-inventory.ts";
import { isDigest, type Digest } from "./oci/digest.ts";
import { formatLocation, parseLocation, type Location } from "./oci/location.ts";
import { RegistryError } from "./oci/error.ts";
import { parseReference } from "./oci/reference.ts";
import type { Hands } from "./plan/hands.ts";
import type { Plan } from "./plan/plan.ts";
import { deleteEach } from "./provider/protocol.ts";
import type { Provider } from "./provider/provider.ts";
import type { Deletion } from "./provider/service.ts";
import type { LocalStore } from "./store/local-store.ts";
import type { Call, Store } from "./store/store.ts";
import { handedWith } from "./sync/handed.ts";
import { oneForm } from "./sync/one-form.ts";
import { stepCopier, type CopyPlaces, type CopySpot } from "./sync/copy-steps.ts";

export interface HandsOptions extends Pick<CopyPlaces, "until"> {
  readonly source?: Client;
  /** What was kept for the copies of this very plan when it was made is taken instead of asking again. */
  readonly plan?: Plan;
}

/**
 * How plans are applied with a client: its stores, and the routes of its services; `close` lets go of all that was opened.
 * Throws INVALID for a plan with one local place in two forms.
 */
export function handsOf(client: Client, options: HandsOptions = {}): Hands & { close(): Promise<void> } {
  const local = options.plan?.steps.map(({ at }) => at).filter((at) => /^(?:oci|docker-archive|dir)/.test(at)) ?? [];
  local.map((at) => placeOf(parseLocation(at))).forEach(oneForm());
  const stores = new Map<string, Store>();
  const bundled = bundles();
  const handed = options.plan && handedWith(options.plan);
  const storeAt = (by: Client, location: Location, place: string, use?: "pull"): Store => {
    const { store } = by.open(location, use);
    return handed && use === "pull" ? handed.over(place, store) : store;
  };
  const spots = new Map<string, CopySpot>();
  const spotIn = (by: Client, at: string, use?: "pull"): CopySpot => {
    const key = `${use ?? "push"} ${at}`;
    const known = spots.get(key);
    if (known) return known;
    const found = findSpot(by, at, use);
    // Each step's are asked for again and again while it is under way, and no more afterwards.
    if (spots.size >= mostSpots) spots.clear();
    spots.set(key, found);
    return found;
  };
  const findSpot = (by: Client, at: string, use?: "pull"): CopySpot => {
    const inBundle = parseBundleLocation(at);
    if (inBundle) {
      const { path, at: image } = inBundle;
      const { repository } = parseReference(image);
      const holder = async (blob: Digest, call?: Call): Promise<string | undefined> => {
        const found = await bundled.holder(path, image, blob, call);
        return found && parseReference(found).repository;
      };
      return { place: at, store: bundled.open(path, image), bundled: { repository, holder } };
    }
    const location = parseLocation(at);
    const place = placeOf(location);
    const key = `${use ?? "push"} ${place}`;
    const store = stores.get(key) ?? storeAt(by, location, place, use);
    stores.set(key, store);
    if (location.transport !== "registry") {
      const { ref } = location;
      return { place, store, ...(ref !== undefined && (isDigest(ref) ? { digest: ref } : { tag: ref })) };
    }
    const { registry, repository, tag, digest } = location.reference;
    return { place, store, registry, repository, ...(tag !== undefined && { tag }), ...(digest && { digest }) };
  };
  const open = (at: string): CopySpot => spotIn(client, at);
  const localAt = (place: string): Store | undefined =>
    parseLocation(place).transport === "registry" ? undefined : open(place).store;
  return {
    open,
    inventory: (place, call) => inventoryOf(client, place, call),
    async deleteTag(repository, tag, call) {
      const local = localAt(repository);
      if (local) return local.deleteTag(tag, call);
      const { host, name } = repositoryAt(repository);
      await (await client.service(host, call)).deleteTag(name, tag, call);
    },
    async *deleteManifests(repository, digests, call) {
      const deletion = await deleterOf(repository, call);
      const known = knownOf(client);
      const { name: read } = open(repository).store;
      for await (const one of deletion(digests)) {
        if (one.outcome !== "failed") known.forget(read, one.digest);
        yield one;
      }
    },
    async createRepository(repository, call) {
      const { host, name } = repositoryAt(repository);
      return (await client.service(host, call)).createRepository(name, call);
    },
    async deleteRepository(repository, call) {
      const { host, name } = repositoryAt(repository);
      await (await client.service(host, call)).deleteRepository(name, call);
    },
    async immutability(repository, call) {
      const { host, name } = repositoryAt(repository);
      return (await client.service(host, call)).immutability(name, call);
    },
    async setImmutability({ at, tags, except, patterns }, call) {
      const { host, name } = repositoryAt(at);
      const wanted = { tags, ...(except && { except }), ...(patterns && { patterns }) };
      await (await client.service(host, call)).setImmutability(name, wanted, call);
    },
    async close() {
      await Promise.all([bundled, ...stores.values()].map((one) => one.close()));
    },
    copy: stepCopier({
      source: (from) => spotIn(options.source ?? client, from, "pull"),
      destination: open,
      ...(options.until && { until: options.until }),
    }),
  };

  /** What deletes manifests in a place, by whatever route it has. */
  async function deleterOf(
    place: string,
    call?: Call,
  ): Promise<(digests: readonly Digest[]) => AsyncIterable<Deletion>> {
    const local = localAt(place);
    if (local) return (digests) => deleteEach(local, digests, call);
    const { host, name } = repositoryAt(place);
    const service = await client.service(host, call);
    return (digests) => service.deleteManifests(name, digests, call);
  }
}

const mostSpots = 10_000;

/** What manifests are made of does not change: each client reads it once. */
const knownTo = new WeakMap<Client, Known>();

function knownOf(client: Client): Known {
  const known = knownTo.get(client) ?? knownManifests();
  knownTo.set(client, known);
  return known;
}

/**
 * Reads a repository of a registry, or what another place holds (`oci:DIR`), whole; by its service's own list where it has
 * one. What is not there is empty.
 */
export async function inventoryOf(client: Client, place: string, options: InventoryCall = {}): Promise<Inventory> {
  const { sparing = true, ...rest } = options;
  const location = parseLocation(place);
  const known = knownOf(client);
  if (location.transport !== "registry") {
    const store = client.open(location).store as LocalStore;
    try {
      return await readInventory(store, { ...rest, known, listed: rootsOf(store, rest), lists: "images" });
    } finally {
      await store.close();
    }
  }
  const { registry, repository } = location.reference;
  const service = await client.service(registry, rest);
  const { abilities, quirks } = service.provider;
  const spares = sparing && quirks.manifestGet !== "free";
  const tagDeletion = tagDeletionBy(service.provider);
  const inventory = await readInventory(service.repository(repository), {
    ...rest,
    known,
    sparing: spares,
    shallow: spares && abilities.deleteManifests.how === "impossible",
    ...(abilities.images.how === "native" && {
      listed: service.images(repository, { ...rest, own: true }),
      lists: quirks.lists,
    }),
  });
  return { ...inventory, ...(tagDeletion && { tagDeletion }) };
}

/** How a service takes away one tag of an image that stays; undefined where that is simply done. */
function tagDeletionBy({ abilities, quirks }: Provider): Inventory["tagDeletion"] {
  if (abilities.deleteTag.how === "impossible") return "impossible";
  if (quirks.lastTag) return quirks.lastTag;
  return quirks.deleteTag === "differs" && abilities.deleteTag.how === "protocol" ? "not everywhere" : undefined;
}

/** The images that a local store lists. */
async function* rootsOf(store: LocalStore, call: Call): AsyncGenerator<Listed, void> {
  const named: string[] = [];
  for await (const tag of store.tags(call)) named.push(tag);
  if (named.length > 0) yield { tags: named };
  for (const { digest } of await store.roots(call)) yield { digest, tags: [] };
}

/** A repository of a registry, by its name. Throws INVALID for anything else. */
function repositoryAt(text: string): { readonly host: string; readonly name: string } {
  const location = parseLocation(text);
  if (location.transport !== "registry") {
    throw new RegistryError("INVALID", `${text} is no repository of a registry`);
  }
  return { host: location.reference.registry, name: location.reference.repository };
}

/** A location's place, without tag and digest. */
function placeOf(location: Location): string {
  if (location.transport !== "registry") return `${location.transport}:${location.path}`;
  const { registry, repository } = location.reference;
  return formatLocation({ transport: "registry", reference: { registry, repository } });
}
