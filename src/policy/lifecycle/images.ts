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

/** The candidates, newest first. Throws INVALID where a time is missing that nothing may stand in for. */
export function candidatesOf<Image extends LifecycleImage>(
  images: readonly Image[],
  unit: "image" | "tag",
  { now, useCreated = false }: Pick<SimulateOptions, "now" | "useCreated">,
): readonly Candidate<Image>[] {
  const parts = new Set(images.flatMap(({ children = [] }) => children));
  const present = images.filter(({ state }) => state !== "deleted");
  const found = (unit === "image" ? merged(present) : present).flatMap((image) => {
    const time = momentOf(image, useCreated);
    const pulled = image.pulled === undefined ? 0 : Date.parse(image.pulled) || 0;
    const isPart = image.isPart === true || (image.digest !== undefined && parts.has(image.digest));
    const idle = pulled === 0 ? Infinity : (now - pulled) / 1000;
    const of = { image, pushed: time, pulled, age: (now - time) / 1000, idle, isPart };
    if (unit === "image" || image.tags.length === 0) return [{ ...of, tags: image.tags }];
    return image.tags.map((tag) => ({ ...of, tags: [tag] }));
  });
  return found.toSorted((a, b) => b.pushed - a.pushed);
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
