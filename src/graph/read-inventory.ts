import type { Digest } from "../oci/digest.ts";
import { isAbsent, isRegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Call, Source } from "../store/store.ts";
import { imageConfig } from "./config.ts";
import type { Gap, Held, Inventory } from "./inventory.ts";
import { isAbort, nameOf } from "./sides.ts";
import { semaphore } from "./semaphore.ts";

/** What a service lists of an image beyond the distribution API; moments are RFC 3339. */
export interface Listed {
  readonly digest?: Digest;
  readonly tags: readonly string[];
  readonly pushed?: string;
  readonly pulled?: string;
  readonly created?: string;
  readonly platforms?: readonly string[];
  readonly immutable?: boolean;
  readonly state?: string;
}

export interface InventoryOptions extends Call {
  /** The images as a service lists them; without, every tag is read. */
  readonly listed?: AsyncIterable<Listed>;
  /** Whether that list has manifests without tags too, what is attached to others among them. */
  readonly listsUntagged?: boolean;
  /** Reads when each image was built, out of its config, where nothing else tells; that takes a request an image. */
  readonly created?: boolean;
}

const atOnce = 16;

/**
 * Reads all manifests of a repository that can be found: what tags name and a service lists, the children of indexes, and
 * what is attached. What is there but cannot be read is a gap; what is not there is left out.
 */
export async function readInventory(from: Source, options: InventoryOptions = {}): Promise<Inventory> {
  const { signal } = options;
  const room = semaphore(atOnce);
  const manifests = new Map<Digest, Manifest>();
  const gaps: Gap[] = [];
  const asked = new Set<string>();
  const facts = new Map<Digest, Listed[]>();
  const tags = new Map<string, Digest>();

  /** Reads what a tag or digest names, and all below it; undefined where it is not there, or is a gap. */
  async function read(ref: string): Promise<Manifest | undefined> {
    const manifest = await room(() => attempt(nameOf(from, ref), () => from.manifest(ref, { signal })));
    if (!manifest || manifests.has(manifest.descriptor.digest)) return manifest;
    manifests.set(manifest.descriptor.digest, manifest);
    await Promise.all(manifest.manifests.map((child) => readDigest(child.digest)));
    return manifest;
  }

  async function readDigest(digest: Digest): Promise<void> {
    if (asked.has(digest) || manifests.has(digest)) return;
    asked.add(digest);
    await read(digest);
  }

  async function attempt<T>(at: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (isAbort(error) || signal?.aborted) throw error;
      if (!isAbsent(error)) gaps.push({ at, why: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  async function readTag(tag: string, digest?: Digest): Promise<void> {
    if (digest !== undefined) {
      tags.set(tag, digest);
      return readDigest(digest);
    }
    const manifest = await read(tag);
    if (manifest) tags.set(tag, manifest.descriptor.digest);
  }

  const work: Promise<void>[] = [];
  for await (const one of options.listed ?? listTags(from, { signal })) {
    const { digest } = one;
    if (one.state === "deleted") continue;
    if (digest) facts.set(digest, [...(facts.get(digest) ?? []), one]);
    work.push(...one.tags.map((tag) => readTag(tag, digest)));
    if (one.tags.length === 0 && digest) work.push(readDigest(digest));
  }
  await Promise.all(work);
  if (!options.listsUntagged) await readAttached();

  /** What is attached to anything, level by level. */
  async function readAttached(): Promise<void> {
    const done = new Set<Digest>();
    for (
      let fresh = [...manifests.keys()];
      fresh.length > 0;
      fresh = [...manifests.keys()].filter((d) => !done.has(d))
    ) {
      await Promise.all(
        fresh.map(async (digest) => {
          done.add(digest);
          const found = await room(() =>
            attempt(nameOf(from, digest), () =>
              Array.fromAsync(from.referrers(digest, { signal, knownTags: new Set(tags.keys()) })),
            ),
          );
          await Promise.all((found ?? []).map((referrer) => readDigest(referrer.digest)));
        }),
      );
    }
  }

  const namesByDigest = new Map<Digest, string[]>();
  for (const [tag, digest] of tags) namesByDigest.set(digest, [...(namesByDigest.get(digest) ?? []), tag]);
  const held = [...manifests.values()].map(async (manifest): Promise<[Digest, Held]> => {
    const { digest } = manifest.descriptor;
    const told = facts.get(digest) ?? [];
    const created = told.find((one) => one.created)?.created ?? (await builtAt(manifest));
    return [digest, describe(manifest, namesByDigest.get(digest) ?? [], told, created)];
  });

  async function builtAt(manifest: Manifest): Promise<string | undefined> {
    if (!options.created) return undefined;
    const { annotations } = manifest.descriptor;
    const noted = annotations?.["org.opencontainers.image.created"];
    if (noted !== undefined) return noted;
    const image = manifest.config
      ? manifest
      : manifest.manifests.map(({ digest }) => manifests.get(digest)).find(Boolean);
    if (!image?.config) return undefined;
    const found = await room(() =>
      attempt(nameOf(from, image.config!.digest), () => imageConfig(from, image, { signal })),
    );
    return found?.config?.created;
  }

  return {
    repository: from.name,
    manifests: new Map(await Promise.all(held)),
    tags: new Map([...tags].sort(([a], [b]) => (a < b ? -1 : 1))),
    listsUntagged: options.listsUntagged ?? false,
    gaps,
  };
}

async function* listTags(from: Source, call: Call): AsyncGenerator<Listed, void> {
  try {
    for await (const tag of from.tags(call)) yield { tags: [tag] };
  } catch (error) {
    if (isRegistryError(error, "NAME_UNKNOWN")) return;
    throw error;
  }
}

function describe(manifest: Manifest, tags: readonly string[], told: readonly Listed[], created?: string): Held {
  const { digest, mediaType, size, artifactType } = manifest.descriptor;
  const latest = (of: (one: Listed) => string | undefined): number | undefined => {
    const times = told.map((one) => Date.parse(of(one) ?? "")).filter((time) => !Number.isNaN(time));
    return times.length > 0 ? Math.max(...times) : undefined;
  };
  const [pushed, pulled, built] = [latest((one) => one.pushed), latest((one) => one.pulled), Date.parse(created ?? "")];
  const first = told[0];
  const platforms = first?.platforms ?? platformsOf(manifest);
  return {
    digest,
    mediaType,
    size,
    blobs: manifest.blobs.map((blob) => ({ digest: blob.digest, size: blob.size })),
    children: manifest.manifests.map((child) => child.digest),
    tags: tags.toSorted(),
    ...(artifactType !== undefined && { artifactType }),
    ...(manifest.subject && { subject: manifest.subject.digest }),
    ...(pushed !== undefined && { pushed }),
    ...(pulled !== undefined && { pulled }),
    ...(!Number.isNaN(built) && { created: built }),
    ...(platforms.length > 0 && { platforms }),
    ...(told.some((one) => one.immutable) && { immutable: true }),
    ...(first?.state !== undefined && { state: first.state }),
  };
}

/** The platforms that an index names; what is no image in it (attestations) runs on none. */
function platformsOf({ manifests }: Manifest): readonly string[] {
  return manifests.flatMap(({ platform }) => (platform && platform.os !== "unknown" ? [formatPlatform(platform)] : []));
}
