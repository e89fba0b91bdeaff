import * as fc from "fast-check";
import type { Store } from "../../src/store/store.ts";
import { artifact, image, indexOf, putImage, type TestImage } from "../support/images.ts";

/** What a repository consists of: images, indexes of what came before, and what is attached to it, in all ways there are. */
export interface Piece {
  readonly kind: "image" | "index" | "artifact" | "lost artifact" | "signature" | "list";
  /** Docker's media types, of images and indexes. */
  readonly docker: boolean;
  /** Which of those before it is a part of, or what it is attached to. */
  readonly of: readonly number[];
  readonly tags: readonly string[];
}

/** A piece that is made, with its tags. */
export interface Made {
  readonly image: TestImage;
  readonly tags: readonly string[];
}

export const tagNames = ["a", "b", "c", "d", "e", "f"];

export const pieces: fc.Arbitrary<readonly Piece[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("image", "image", "index", "index", "artifact", "lost artifact", "signature", "list"),
    docker: fc.boolean(),
    of: fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 3 }),
    tags: fc.uniqueArray(fc.constantFrom(...tagNames), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 9 },
);

/** Makes the pieces, each with the tags that it has when all are put. */
export function madeOf(all: readonly Piece[]): readonly Made[] {
  const made: TestImage[] = [];
  const digestTags: string[][] = [];
  for (const [i, piece] of all.entries()) {
    const others = [...new Set(piece.of.map((n) => n % Math.max(1, made.length)))].flatMap((n) => made[n] ?? []);
    made.push(imageOf(piece, i, others));
    const [subject] = others;
    const tag = subject?.manifest.descriptor.digest.replace(":", "-");
    digestTags.push(
      tag === undefined ? [] : piece.kind === "signature" ? [`${tag}.sig`] : piece.kind === "list" ? [tag] : [],
    );
  }
  const last = new Map(all.flatMap(({ tags }, i) => [...tags, ...digestTags[i]!].map((tag) => [tag, i] as const)));
  return made.map((one, i) => ({ image: one, tags: [...last].flatMap(([tag, of]) => (of === i ? tag : [])) }));
}

function imageOf({ kind, docker }: Piece, i: number, others: readonly TestImage[]): TestImage {
  const own = image(`image ${i}`, { layers: 1, layerSize: 20, docker });
  const [subject] = others;
  if (kind === "index" && subject) return indexOf([own, ...others], { docker });
  if (kind === "artifact" && subject) return artifact(`thing ${i}`, subject.manifest.descriptor);
  if (kind === "lost artifact") return artifact(`thing ${i}`, image(`never put ${i}`).manifest.descriptor);
  return own;
}

/** Puts all, those of which others are made first. */
export async function putAll(store: Store, all: readonly Made[]): Promise<void> {
  for (const { image: one, tags } of all) {
    await putImage(store, one);
    for (const tag of tags) await store.putManifest(one.manifest, { tag });
  }
}
