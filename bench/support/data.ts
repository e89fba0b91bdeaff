import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeImage, type ImageOptions, type MadeImage } from "../../e2e/support/images.ts";
import { pushImage } from "../../e2e/support/push.ts";
import { root } from "../../e2e/support/run.ts";
import type { Tagged } from "./verify.ts";

/** Images in an OCI layout directory. */
export interface DataSet {
  readonly dir: string;
  readonly images: readonly Tagged[];
}

const folder = join(root, "bench", "data");

/** The images of a data set, by tag: made the first time that they are wanted, always the same bytes. */
export async function dataSet(name: string, wanted: Readonly<Record<string, ImageOptions>>): Promise<DataSet> {
  const dir = join(folder, name);
  const made = await readFile(join(dir, "made.json"), "utf8").catch(() => undefined);
  const recipe = JSON.stringify(wanted);
  if (made !== undefined) {
    const known = JSON.parse(made) as { readonly recipe: string; readonly images: readonly Tagged[] };
    if (known.recipe === recipe) return { dir, images: known.images };
  }
  const draft = `${dir}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  const images: Tagged[] = [];
  for (const [tag, options] of Object.entries(wanted))
    images.push({ tag, image: await makeImage(draft, { ...options, tag }) });
  await writeFile(join(draft, "made.json"), JSON.stringify({ recipe, images }));
  await rm(dir, { recursive: true, force: true });
  await rename(draft, dir);
  return { dir, images };
}

/** Puts images into a repository with bare requests, what they share once. */
export async function load({ dir, images }: DataSet, host: string, repository: string): Promise<void> {
  const there = new Set<string>();
  for (const { tag, image } of images) {
    const blobs = image.blobs.filter(({ digest }) => !there.has(digest));
    for (const { digest } of blobs) there.add(digest);
    const rest: MadeImage = { ...image, blobs };
    await pushImage(dir, rest, `${host}/${repository}:${tag}`);
  }
}

/** Images of 10 layers of 200 KiB, 8 of them from one of 5 bases, by their tags. */
export function smallImages(count: number): Readonly<Record<string, ImageOptions>> {
  const image = (i: number): ImageOptions => ({
    layers: 10,
    layerSize: 200 * 1024,
    seed: `small ${i}`,
    base: { seed: `base ${i % 5}`, layers: 8 },
  });
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`v${i}`, image(i)]));
}
