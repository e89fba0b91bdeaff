import { createHash } from "node:crypto";
import type { Made, MadeImage } from "../../e2e/support/images.ts";

/** An image and the tag that it has to have. */
export interface Tagged {
  readonly tag: string;
  readonly image: MadeImage;
}

/** Reads all that the images consist of from a repository, and throws where a byte is missing or wrong. */
export async function verify(host: string, repository: string, images: readonly Tagged[]): Promise<void> {
  const base = `http://${host}/v2/${repository}`;
  const wanted = new Map<string, Made>();
  for (const { tag, image } of images) {
    wanted.set(`${base}/manifests/${tag}`, image.root);
    for (const blob of image.blobs) wanted.set(`${base}/blobs/${blob.digest}`, blob);
  }
  const left = wanted.entries();
  const reader = async (): Promise<void> => {
    for (const [url, made] of left) await verifyOne(url, made);
  };
  await Promise.all(Array.from({ length: 8 }, reader));
}

async function verifyOne(url: string, { mediaType, digest }: Made): Promise<void> {
  const response = await fetch(url, { headers: { accept: mediaType } });
  const hash = createHash("sha256");
  for await (const piece of response.body ?? []) hash.update(piece);
  const found = response.status === 200 ? `sha256:${hash.digest("hex")}` : `status ${response.status}`;
  if (found !== digest) throw new Error(`${url}: ${found} instead of ${digest}`);
}
