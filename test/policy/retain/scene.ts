import type { Held, Inventory } from "../../../src/graph/inventory.ts";
import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";

export const day = 86_400_000;
export const now = new Date("2026-11-20T12:00:00Z");

/** The digest of what a test calls by a name. */
export const digest = (name: string): Digest => digestOf(Buffer.from(name));

/** A manifest, by names: ages are in days, each blob has 1000 bytes. */
export interface Sketch {
  readonly tags?: readonly string[];
  readonly age?: number;
  readonly pulled?: number;
  readonly built?: number;
  readonly children?: readonly string[];
  readonly subject?: string;
  readonly blobs?: readonly string[];
  readonly immutable?: boolean;
  readonly state?: string;
}

/** An inventory of manifests by name; all of them pushed 0 days ago unless told, `age: NaN` for those that tell nothing. */
export function inventory(
  manifests: Readonly<Record<string, Sketch>>,
  more: Partial<Pick<Inventory, "repository" | "listsUntagged" | "gaps" | "tagDeletion">> = {},
): Inventory {
  const before = (days: number): number => now.getTime() - days * day;
  const all = Object.entries(manifests).map(([name, sketch]): Held => {
    const { tags = [], age = 0, pulled, built, children = [], subject, blobs = [name], immutable, state } = sketch;
    return {
      digest: digest(name),
      mediaType: children.length > 0 ? mediaTypes.ociIndex : mediaTypes.ociManifest,
      size: 100,
      blobs: blobs.map((blob) => ({ digest: digest(`blob ${blob}`), size: 1000 })),
      children: children.map(digest),
      tags,
      ...(subject !== undefined && { subject: digest(subject) }),
      ...(!Number.isNaN(age) && { pushed: before(age) }),
      ...(pulled !== undefined && { pulled: before(pulled) }),
      ...(built !== undefined && { created: before(built) }),
      ...(immutable && { immutable }),
      ...(state !== undefined && { state }),
    };
  });
  return {
    repository: "registry.example/app",
    manifests: new Map(all.map((held) => [held.digest, held])),
    tags: new Map(
      all.flatMap((held) => held.tags.map((tag) => [tag, held.digest] as const)).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    listsUntagged: true,
    gaps: [],
    ...more,
  };
}

/** What is left of a repository when a plan's steps are done. */
export function applied(from: Inventory, steps: readonly { readonly do: string; readonly at: string }[]): Inventory {
  const here = steps.filter(({ at }) => at.startsWith(`${from.repository}@`) || at.startsWith(`${from.repository}:`));
  const rest = (at: string): string => at.slice(from.repository.length + 1);
  const manifests = new Set(here.flatMap((step) => (step.do === "delete manifest" ? rest(step.at) : [])));
  const gone = new Set(here.flatMap((step) => (step.do === "delete tag" ? rest(step.at) : [])));
  const tags = new Map([...from.tags].filter(([tag, of]) => !gone.has(tag) && !manifests.has(of)));
  const held = [...from.manifests.values()].filter((one) => !manifests.has(one.digest));
  return {
    ...from,
    tags,
    manifests: new Map(held.map((one) => [one.digest, { ...one, tags: one.tags.filter((tag) => tags.has(tag)) }])),
  };
}
