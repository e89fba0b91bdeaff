import { bundles, parseBundleLocation } from "./bundle/read.ts";
import type { Client } from "./client.ts";
import type { Inventory } from "./graph/inventory.ts";
import { readInventory } from "./graph/read-inventory.ts";
import { isDigest } from "./oci/digest.ts";
import { formatLocation, parseLocation, type Location } from "./oci/location.ts";
import { RegistryError } from "./oci/error.ts";
import type { Hands } from "./plan/hands.ts";
import type { Call, Store } from "./store/store.ts";
import { stepCopier, type CopySpot } from "./sync/copy-steps.ts";

/** How plans are applied with a client: its stores, and the routes of its services; `close` lets go of bundles. */
export function handsOf(
  client: Client,
  options: { readonly source?: Client } = {},
): Hands & { close(): Promise<void> } {
  const stores = new Map<string, Store>();
  const bundled = bundles();
  const spotIn = (by: Client, at: string, use?: "pull"): CopySpot => {
    const inBundle = parseBundleLocation(at);
    if (inBundle) return { place: at, store: bundled.open(inBundle.path, inBundle.at) };
    const location = parseLocation(at);
    const place = placeOf(location);
    const key = `${use ?? "push"} ${place}`;
    const store = stores.get(key) ?? by.open(location, use).store;
    stores.set(key, store);
    if (location.transport !== "registry") {
      const { ref } = location;
      return { place, store, ...(ref !== undefined && (isDigest(ref) ? { digest: ref } : { tag: ref })) };
    }
    const { registry, repository, tag, digest } = location.reference;
    return { place, store, registry, repository, ...(tag !== undefined && { tag }), ...(digest && { digest }) };
  };
  const open = (at: string): CopySpot => spotIn(client, at);
  return {
    open,
    inventory: (repository, call) => inventoryOf(client, repository, call),
    async deleteTag(repository, tag, call) {
      const { host, name } = repositoryAt(repository);
      await (await client.service(host, call)).deleteTag(name, tag, call);
    },
    async *deleteManifests(repository, digests, call) {
      const { host, name } = repositoryAt(repository);
      yield* (await client.service(host, call)).deleteManifests(name, digests, call);
    },
    async createRepository(repository, call) {
      const { host, name } = repositoryAt(repository);
      return (await client.service(host, call)).createRepository(name, call);
    },
    async deleteRepository(repository, call) {
      const { host, name } = repositoryAt(repository);
      await (await client.service(host, call)).deleteRepository(name, call);
    },
    async setImmutability({ at, tags, except, patterns }, call) {
      const { host, name } = repositoryAt(at);
      const wanted = { tags, ...(except && { except }), ...(patterns && { patterns }) };
      await (await client.service(host, call)).setImmutability(name, wanted, call);
    },
    close: () => bundled.close(),
    copy: stepCopier({ source: (from) => spotIn(options.source ?? client, from, "pull"), destination: open }),
  };
}

/** Reads a repository whole, by its service's own listing where it has one. Throws NAME_UNKNOWN. */
export async function inventoryOf(
  client: Client,
  repository: string,
  options: Call & { readonly created?: boolean } = {},
): Promise<Inventory> {
  const { host, name } = repositoryAt(repository);
  const service = await client.service(host, options);
  const native = service.provider.abilities.images.how === "native";
  return readInventory(service.repository(name), {
    ...options,
    ...(native && { listed: service.images(name, options) }),
  });
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
