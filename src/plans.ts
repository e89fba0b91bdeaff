import { bundles, parseBundleLocation } from "./bundle/read.ts";
import type { Client } from "./client.ts";
import { copier, type Outcome } from "./graph/copy.ts";
import type { Inventory } from "./graph/inventory.ts";
import { readInventory } from "./graph/read-inventory.ts";
import { formatLocation, parseLocation, type Location } from "./oci/location.ts";
import { parsePlatform } from "./oci/platform.ts";
import { RegistryError } from "./oci/error.ts";
import type { Hands, Spot } from "./plan/hands.ts";
import type { CopyImage } from "./plan/plan.ts";
import type { Call, Store } from "./store/store.ts";

/** How plans are applied with a client: its stores, and the routes of its services. */
export function handsOf(client: Client, options: { readonly source?: Client } = {}): Hands {
  const stores = new Map<string, Store>();
  const openBundled = bundles();
  const spotIn = (by: Client, at: string): Spot => {
    const bundled = parseBundleLocation(at);
    if (bundled) return { place: at, store: openBundled(bundled.path, bundled.at) };
    const location = parseLocation(at);
    const place = placeOf(location);
    const key = by === client ? place : `source ${place}`;
    const store = stores.get(key) ?? by.open(location).store;
    stores.set(key, store);
    if (location.transport !== "registry")
      return { place, store, ...(location.ref !== undefined && { tag: location.ref }) };
    const { tag, digest } = location.reference;
    return { place, store, ...(tag !== undefined && { tag }), ...(digest && { digest }) };
  };
  const open = (at: string): Spot => spotIn(client, at);
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
    async *copy(steps, copyOptions = {}) {
      for (const step of steps) yield await copyOne(step, copyOptions);
    },
  };

  async function copyOne(
    step: CopyImage,
    { signal, ...more }: NonNullable<Parameters<Hands["copy"]>[1]>,
  ): Promise<{ id: string; bytes?: number; error?: unknown }> {
    const { id, from, at, digest, before, platforms, referrers = true } = step;
    try {
      const source = spotIn(options.source ?? client, from);
      const to = open(at);
      if (to.tag !== undefined) {
        const now = (await to.store.head(to.tag, { signal }))?.digest ?? null;
        if (now !== digest && before !== undefined && now !== before) {
          throw new RegistryError("CONFLICT", now === null ? `${at} is gone` : `${at} names ${now} now`);
        }
      }
      const chosen = platforms && { platforms: platforms.map(parsePlatform) };
      const copy = copier(source.store, [{ store: to.store }], {
        referrers,
        ...chosen,
        ...more,
        ...(signal && { signal }),
      });
      const [outcome] = await copy.copy(digest, to.tag);
      return { id, ...endingOf(outcome!) };
    } catch (error) {
      return { id, error };
    }
  }
}

const endingOf = (outcome: Outcome): { bytes?: number; error?: unknown } =>
  "result" in outcome ? { bytes: outcome.result.bytes } : { error: outcome.error };

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
