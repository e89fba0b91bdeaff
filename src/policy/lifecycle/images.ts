import { isDigest, type Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";

/** What a policy goes by of an image; moments are RFC 3339. */
export interface LifecycleImage {
  readonly digest?: Digest;
  readonly tags: readonly string[];
  readonly pushed?: string;
  readonly pulled?: string;
  /** When it was built. */
  readonly created?: string;
  readonly children?: readonly Digest[];
  /** Whether an index is made of it, be that among the images or not. */
  readonly isPart?: true;
  /** What it is attached to. */
  readonly subject?: Digest;
  readonly immutable?: boolean;
  /** `archived`, `locked`, `deleted`: absent for what can be pulled. */
  readonly state?: string;
}

/** What would become of an image. */
export interface Decision<Image extends LifecycleImage = LifecycleImage> {
  readonly image: Image;
  readonly action: "delete" | "archive" | "keep";
  /** The tags that would go; of an image without tags, none. */
  readonly tags: readonly string[];
  /** The place of the rule in the document that decides. */
  readonly rule?: string;
  /** Why, in words. */
  readonly reason: string;
}

export interface SimulateOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The repository's name, as in references, without the host. */
  readonly repository: string;
  /** Takes the time at which an image was built where the registry does not tell when it was pushed. */
  readonly useCreated?: boolean;
}

/** An image, or one tag of it, that a policy may take; ages are in seconds. */
export interface Candidate<Image extends LifecycleImage = LifecycleImage> {
  readonly image: Image;
  readonly tags: readonly string[];
  readonly pushed: number;
  /** 0 where it never was, or that is not known. */
  readonly pulled: number;
  readonly age: number;
  /** Since the last pull; Infinity where there was none, or that is not known. */
  readonly idle: number;
  /** Whether an index is made of it. */
  readonly isPart: boolean;
}

type Times = Pick<SimulateOptions, "now" | "useCreated">;

/** What was made of images last: who simulates a policy warns of its traps next. */
const known = new WeakMap<readonly LifecycleImage[], { readonly key: string; readonly made: readonly Candidate[] }>();

/** The candidates, newest first. Throws INVALID where a time is missing that nothing may stand in for. */
export function candidatesOf<Image extends LifecycleImage>(
  images: readonly Image[],
  unit: "image" | "tag",
  times: Times,
): readonly Candidate<Image>[] {
  const key = [unit, times.now, times.useCreated].join(" ");
  const last = known.get(images);
  // Of the same images, and so of this type.
  if (last?.key === key) return last.made as readonly Candidate<Image>[];
  const made = makeCandidates(images, unit, times);
  known.set(images, { key, made });
  return made;
}

function makeCandidates<Image extends LifecycleImage>(
  images: readonly Image[],
  unit: "image" | "tag",
  { now, useCreated = false }: Times,
): readonly Candidate<Image>[] {
  const parts = new Set<Digest>();
  for (const { children = [] } of images) for (const child of children) parts.add(child);
  const present = images.filter(({ state }) => state !== "deleted");
  const found: Candidate<Image>[] = [];
  for (const image of unit === "image" ? merged(present) : present) {
    const { digest, tags } = image;
    const pushed = momentOf(image, useCreated);
    const pulled = image.pulled === undefined ? 0 : Date.parse(image.pulled) || 0;
    const idle = pulled === 0 ? Infinity : (now - pulled) / 1000;
    const isPart = image.isPart === true || (digest !== undefined && parts.has(digest));
    const single = unit === "image" || tags.length < 2;
    for (const of of single ? [tags] : tags.map((tag) => [tag])) {
      found.push({ image, tags: of, pushed, pulled, age: (now - pushed) / 1000, idle, isPart });
    }
  }
  return found.sort((a, b) => b.pushed - a.pushed);
}

/** One image of those that a listing by tags has several times: with all its tags, and as new as any of them. */
function merged<Image extends LifecycleImage>(images: readonly Image[]): readonly Image[] {
  const known = new Map<string, Image>();
  images.forEach((image, i) => {
    const key = image.digest !== undefined && isDigest(image.digest) ? image.digest : `#${i}`;
    const before = known.get(key);
    if (!before) return known.set(key, image);
    const newer = (image.pushed ?? "") > (before.pushed ?? "") ? image : before;
    return known.set(key, { ...newer, tags: [...new Set([...before.tags, ...image.tags])] });
  });
  return [...known.values()];
}

function momentOf({ pushed, created, tags, digest }: LifecycleImage, useCreated: boolean): number {
  const time = Date.parse(pushed ?? (useCreated ? (created ?? "") : ""));
  if (!Number.isNaN(time)) return time;
  const name = tags[0] ?? digest ?? "an image";
  throw new RegistryError("INVALID", `it is not known when ${name} was pushed, and ages count from then`, {
    hint:
      created === undefined || useCreated
        ? "this registry does not tell it: a policy cannot be tried here"
        : "to go by the time at which it was built, which may be wrong (reproducible builds say 1970), say --use-created",
  });
}
