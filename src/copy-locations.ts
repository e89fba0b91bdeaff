import { basename } from "node:path";
import type { Client, Opened } from "./client.ts";
import { realPath } from "./files/real-path.ts";
import { isDigest, type Digest } from "./oci/digest.ts";
import { RegistryError } from "./oci/error.ts";
import { familiarReference, isDigestTag, isRepository, isTag } from "./oci/reference.ts";
import { copier, type CopyOptions, type CopyResult, type Destination, type Outcome } from "./graph/copy.ts";
import { copyTags } from "./graph/copy-tags.ts";
import { asRegistryError, sided } from "./graph/sides.ts";
import type { LocalStore } from "./store/local-store.ts";
import type { Store } from "./store/store.ts";

export interface CopyLocationsOptions extends CopyOptions {
  /** Every tag of the repository, each to the same tag. */
  readonly allTags?: boolean;
  /** Creates repositories that are not there, at services where a push does not. */
  readonly create?: boolean;
  /** With `allTags`: looks into tags too that name the same digest at both ends already. */
  readonly recheck?: boolean;
  /** The client that opens the source, where it needs other credentials than the destinations. */
  readonly source?: Client;
}

/** How a copy between locations ended. */
export interface CopyOutcome {
  readonly images: readonly CopyResult[];
  readonly failures: readonly { readonly to: string; readonly error: RegistryError }[];
  /** Bytes written, over all destinations. */
  readonly bytes: number;
  readonly ms: number;
}

/**
 * Copies between locations. A destination without a tag gets the source's; one with a digest must be given that very
 * digest. Locations in the same place (two tags of a repository, two names in an archive) share one store.
 */
export async function copyLocations(
  client: Client,
  from: string,
  to: readonly string[],
  options: CopyLocationsOptions = {},
): Promise<CopyOutcome> {
  const start = process.uptime();
  const source = (options.source ?? client).open(from, "pull");
  const places = groupByPlace(
    source,
    to.map((text) => client.open(text)),
    options,
  );
  const stores = places.map(({ store }) => store);
  try {
    for (const { store, opened } of places) {
      if (opened[0]!.location.transport === "registry") continue;
      await sided("destination", () => (store as LocalStore).checkPlace(options));
    }
    const ref = options.allTags
      ? undefined
      : await sided("source", () => (options.source ?? client).resolve(source, options));
    if (ref !== undefined) await expectDigests(source, ref, places, options);
    if (options.create && !options.dryRun && (await hasSomething(source, ref, options))) {
      for (const { opened } of places) await sided("destination", () => createPlace(client, opened[0]!, options));
    }
    const destinations = places.map((place) => destinationOf(place, source, ref));
    const outcomes =
      ref === undefined
        ? await copyTags(source.store, destinations, options)
        : await copier(source.store, destinations, options).copy(ref);
    const flushed = options.dryRun ? outcomes : await flush(stores, outcomes, options);
    return summary(flushed, (process.uptime() - start) * 1000);
  } finally {
    await Promise.all([source.store, ...stores].map((store) => store.close()));
  }
}

/** A repository, directory or archive, and the destinations in it. */
interface Place {
  readonly store: Store;
  readonly opened: readonly Opened[];
}

function groupByPlace(source: Opened, opened: readonly Opened[], options: CopyLocationsOptions): readonly Place[] {
  const places = new Map<string, Opened[]>();
  for (const one of opened) {
    const { location } = one;
    if (options.allTags && one.ref !== undefined) {
      throw new RegistryError("INVALID", `${one.name} names a tag, but all tags are to be copied`, {
        hint: `leave ${JSON.stringify(one.ref)} out`,
      });
    }
    if (options.allTags && location.transport === "dir") {
      throw new RegistryError("INVALID", `${one.name} holds one image, but all tags are to be copied`, {
        hint: "copy one tag, or all of them to oci: or oci-archive:",
      });
    }
    const place = placeOf(one);
    if (place === placeOf(source) && location.transport !== "registry" && location.transport !== "oci") {
      throw new RegistryError("INVALID", `${one.name} is both source and destination`);
    }
    const path = pathOf(one);
    const others = path === undefined ? [] : [...places.values()].flat();
    const other = others.find((known) => pathOf(known) === path && placeOf(known) !== place);
    if (other) {
      throw new RegistryError("INVALID", `${other.name} and ${one.name} are one place in two forms`, {
        hint: "give each destination a place of its own",
      });
    }
    places.set(place, [...(places.get(place) ?? []), one]);
  }
  return [...places.values()].map((group) => ({ store: group[0]!.store, opened: group }));
}

/** The file or directory of a local place, however it is spelt, or `-`; undefined of a registry. */
function pathOf({ location }: Opened): string | undefined {
  if (location.transport === "registry") return undefined;
  return location.path === "-" ? "-" : realPath(location.path);
}

function placeOf(opened: Opened): string {
  const { location } = opened;
  if (location.transport !== "registry") return `${location.transport}:${pathOf(opened)}`;
  return `${location.reference.registry}/${location.reference.repository}`;
}

function destinationOf({ store, opened }: Place, source: Opened, ref: string | undefined): Destination {
  const mountFrom = mountable(source, opened[0]!);
  const tags = ref === undefined ? undefined : [...new Set(opened.map((one) => tagFor(one, source, ref)))];
  const takesAnyName = opened[0]!.location.transport.startsWith("oci");
  const tagForAll = (tag: string): string => (isDigestTag(tag) ? tag : (tagFor(opened[0]!, source, tag) ?? tag));
  return {
    store,
    ...(tags ? { tags } : !takesAnyName && { tagFor: tagForAll }),
    ...(mountFrom !== undefined && { mountFrom }),
  };
}

/** Blobs of another repository of the same registry need not be moved. */
function mountable({ location: from }: Opened, { location: to }: Opened): string | undefined {
  if (from.transport !== "registry" || to.transport !== "registry") return undefined;
  const sameHost = from.reference.registry === to.reference.registry;
  return sameHost && from.reference.repository !== to.reference.repository ? from.reference.repository : undefined;
}

/** The name an image gets: as written, else as at the source; a local store needs one, a registry goes by the digest. */
function tagFor({ location }: Opened, source: Opened, ref: string): string | undefined {
  const tag = sourceTag(source, ref);
  if (location.transport === "registry") return location.reference.tag ?? (location.reference.digest ? undefined : tag);
  if (location.ref !== undefined) return location.ref;
  return location.transport === "docker-archive" ? dockerName(source, ref, tag ?? "latest") : (tag ?? "latest");
}

/** The source's tag; undefined where it was named by its digest, or has none. */
function sourceTag({ location }: Opened, ref: string): string | undefined {
  if (location.transport === "registry") return location.reference.tag ?? (isTag(ref) ? ref : undefined);
  if (isTag(ref)) return ref;
  const colon = ref.lastIndexOf(":");
  return isDigest(ref) || !isTag(ref.slice(colon + 1)) ? undefined : ref.slice(colon + 1);
}

/** What `docker load` will call it: repository and tag. */
function dockerName({ location }: Opened, ref: string, tag: string): string {
  if (location.transport === "registry") {
    const { registry, repository } = location.reference;
    return familiarReference({ registry, repository, tag });
  }
  if (ref.includes(":") && !isDigest(ref)) return ref;
  const file = basename(location.path).replace(/\..*$/, "").toLowerCase();
  return `${isRepository(file) ? file : "image"}:${tag}`;
}

/** A destination that is written with a digest takes nothing else. */
async function expectDigests(
  source: Opened,
  ref: string,
  places: readonly Place[],
  options: CopyOptions,
): Promise<void> {
  const wanted = places
    .flatMap(({ opened }) => opened)
    .flatMap(({ name, location }) => {
      const digest = location.transport === "registry" ? location.reference.digest : undefined;
      return digest ? [{ name, digest }] : [];
    });
  if (wanted.length === 0) return;
  const there: Digest | undefined = (await sided("source", () => source.store.head(ref, options)))?.digest;
  for (const { name, digest } of wanted) {
    if (options.platforms || options.convert || (there !== undefined && there !== digest)) {
      throw new RegistryError(
        "INVALID",
        `${name} would not get its digest: ${source.name} is ${there ?? "not there"}`,
        {
          hint: "leave the digest of the destination out, or copy by that digest",
        },
      );
    }
  }
}

/** Whether there is anything to copy: no repository is created for what is not there. */
async function hasSomething({ store }: Opened, ref: string | undefined, call: CopyOptions): Promise<boolean> {
  return sided("source", async () => {
    if (ref !== undefined) return (await store.head(ref, call)) !== undefined;
    for await (const _tag of store.tags(call)) return true;
    return false;
  });
}

/** Makes the repository of a destination where its service wants that done before a push, and has a way to do it. */
async function createPlace(client: Client, { location }: Opened, { signal }: CopyOptions): Promise<void> {
  if (location.transport !== "registry") return;
  const { registry, repository } = location.reference;
  const call = signal && { signal };
  const service = await client.service(registry, call);
  const { quirks, abilities } = service.provider;
  if (quirks.createOnPush === "yes" || abilities.createRepository.how === "impossible") return;
  await service.createRepository(repository, call);
}

/** What did not become visible and durable in the end has failed. */
async function flush(
  stores: readonly Store[],
  outcomes: readonly Outcome[],
  options: CopyOptions,
): Promise<readonly Outcome[]> {
  if (!outcomes.some((outcome) => "result" in outcome)) return outcomes;
  const flushes = await Promise.allSettled(stores.map((store) => sided("destination", () => store.flush(options))));
  const lost = flushes.flatMap((flushed, at) =>
    flushed.status === "rejected" ? [{ name: stores[at]!.name, error: flushed.reason as unknown }] : [],
  );
  return outcomes.map((outcome) => {
    if (!("result" in outcome)) return outcome;
    const { to } = outcome.result;
    const failure = lost.find(({ name }) => to.startsWith(`${name}:`));
    return failure ? { to, error: failure.error } : outcome;
  });
}

function summary(outcomes: readonly Outcome[], ms: number): CopyOutcome {
  const images = outcomes.flatMap((outcome) => ("result" in outcome ? [outcome.result] : []));
  const failures = outcomes.flatMap((outcome) =>
    "error" in outcome ? [{ to: outcome.to, error: asRegistryError(outcome.error) }] : [],
  );
  return { images, failures, bytes: images.reduce((sum, image) => sum + image.bytes, 0), ms };
}
