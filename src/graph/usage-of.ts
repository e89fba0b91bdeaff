import type { Digest } from "../oci/digest.ts";
import type { Gap, Inventory } from "./inventory.ts";
import { neededByEach, subjectOfTag } from "./needed.ts";

/** What repositories take up, in bytes. What has the same digest counts once, as registries keep it once. */
export interface Usage {
  readonly size: number;
  /** Of that, what more than one of the repositories has. */
  readonly shared: number;
  readonly repositories: readonly RepositoryUsage[];
  /** What several images have, the largest first. */
  readonly layers: readonly SharedLayer[];
}

export interface RepositoryUsage {
  readonly repository: string;
  readonly size: number;
  /** What would be freed if all of it were deleted: what no other of the repositories has. */
  readonly frees: number;
  /** Of that, what several of its images have. */
  readonly shared: number;
  readonly tags: number;
  readonly manifests: number;
  /** What tags name, and what nothing leads to. */
  readonly images: readonly ImageUsage[];
  /** What could not be read, and so is not counted. */
  readonly gaps: readonly Gap[];
}

/** An image with its parts and all that is attached. */
export interface ImageUsage {
  readonly digest: Digest;
  /** None where nothing leads to it. */
  readonly tags: readonly string[];
  readonly artifactType?: string;
  readonly size: number;
  /** What would be freed if all its tags were deleted, and what then nothing needs. */
  readonly frees: number;
  /** With whom it shares the rest, some of them: the largest part first. */
  readonly sharedWith: readonly string[];
}

/** A manifest or blob that several images have. */
export interface SharedLayer {
  readonly digest: Digest;
  readonly size: number;
  /** How many images have it, and in how many repositories they are. */
  readonly images: number;
  readonly repositories: number;
  /** The only one. */
  readonly repository?: string;
  /** Some of the images: `registry.example/app:1.0`. */
  readonly among: readonly string[];
}

/** How many of those that share something are told by name. */
const namesTold = 5;

interface Image {
  readonly name: string;
  readonly inventory: Inventory;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly contents: ReadonlySet<Content>;
}

/** A manifest or blob, and who has it. */
interface Content {
  readonly digest: Digest;
  readonly size: number;
  /** How many images, the last of them, and the first few. */
  count: number;
  last?: Image;
  readonly some: Image[];
  repositories: number;
}

/** Counts what repositories take up, and what deleting would free. */
export function usageOf(inventories: readonly Inventory[]): Usage {
  const contents = new Map<Digest, Content>();
  const repositories = inventories.map((inventory) => [inventory, imagesOf(inventory, contents)] as const);
  for (const image of repositories.flatMap(([, images]) => images))
    for (const content of image.contents) claim(content, image);
  const all = [...contents.values()];
  return {
    size: sum(all),
    shared: sum(all.filter((one) => one.repositories > 1)),
    repositories: repositories.map(([inventory, images]) => repositoryUsage(inventory, images)).toSorted(bySize),
    layers: all
      .filter(({ count }) => count > 1)
      .toSorted(bySize)
      .map((one) => ({
        digest: one.digest,
        size: one.size,
        images: one.count,
        repositories: one.repositories,
        ...(one.repositories === 1 && { repository: one.last!.inventory.repository }),
        among: one.some.slice(0, namesTold).map(({ name }) => name),
      })),
  };
}

/** Images come repository by repository. */
function claim(content: Content, image: Image): void {
  if (content.last?.inventory !== image.inventory) content.repositories += 1;
  if (content.some.length <= namesTold) content.some.push(image);
  content.last = image;
  content.count += 1;
}

function repositoryUsage(inventory: Inventory, images: readonly Image[]): RepositoryUsage {
  const contents = [...new Set(images.flatMap((image) => [...image.contents]))];
  const own = contents.filter((one) => one.repositories === 1);
  return {
    repository: inventory.repository,
    size: sum(contents),
    frees: sum(own),
    shared: sum(own.filter((one) => one.count > 1)),
    tags: inventory.tags.size,
    manifests: inventory.manifests.size,
    images: images.map((image) => imageUsage(image)).toSorted(bySize),
    gaps: inventory.gaps,
  };
}

function imageUsage({ inventory, digest, tags, name, contents }: Image): ImageUsage {
  const all = [...contents];
  const others = all
    .filter((one) => one.count > 1)
    .toSorted(bySize)
    .flatMap(({ some }) => some.map((image) => image.name));
  const artifactType = inventory.manifests.get(digest)?.artifactType;
  return {
    digest,
    tags,
    ...(artifactType !== undefined && !/\bimage(\.config)?\.v1\+json$/.test(artifactType) && { artifactType }),
    size: sum(all),
    frees: sum(all.filter((one) => one.count === 1)),
    sharedWith: [...new Set(others)].filter((other) => other !== name).slice(0, namesTold),
  };
}

/** What tags name, each once with all its tags, but for tags of what is attached; and what nothing of that leads to. */
function imagesOf(inventory: Inventory, contents: Map<Digest, Content>): readonly Image[] {
  const { repository, manifests } = inventory;
  const images: Image[] = [];
  const reached = new Set<Digest>();
  const named = new Map<Digest, string[]>();
  for (const [tag, digest] of inventory.tags) {
    const subject = subjectOfTag(tag);
    if (subject && manifests.has(subject)) continue;
    named.set(digest, [...(named.get(digest) ?? []), tag]);
  }
  neededByEach(inventory, roots(), (digest, needs) => {
    const tags = named.get(digest) ?? [];
    const held = [...needs].map((one) => manifests.get(one)!);
    for (const one of needs) reached.add(one);
    images.push({
      name: tags.length > 0 ? `${repository}:${tags[0]}` : `${repository}@${digest}`,
      inventory,
      digest,
      tags,
      contents: new Set(held.flatMap((one) => [one, ...one.blobs].map((part) => contentOf(part, contents)))),
    });
  });
  return images;

  function* roots(): Generator<Digest, void> {
    yield* named.keys();
    const parts = new Set([...manifests.values()].flatMap((one) => one.children));
    const tops = [...manifests.values()].filter(
      ({ digest, subject }) => !parts.has(digest) && !(subject && manifests.has(subject)),
    );
    for (const { digest } of [...tops, ...manifests.values()]) if (!reached.has(digest)) yield digest;
  }
}

function contentOf({ digest, size }: Pick<Content, "digest" | "size">, contents: Map<Digest, Content>): Content {
  const content = contents.get(digest) ?? { digest, size, count: 0, some: [], repositories: 0 };
  contents.set(digest, content);
  return content;
}

const sum = (contents: readonly { readonly size: number }[]): number =>
  contents.reduce((total, { size }) => total + size, 0);

/** The largest first; what is as large keeps its order. */
const bySize = (a: { readonly size: number }, b: { readonly size: number }): number => b.size - a.size;
