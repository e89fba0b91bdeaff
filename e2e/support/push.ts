import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import { join } from "node:path";
import type { Made, MadeImage } from "./images.ts";

/** Puts a made image under `host/name:tag` with bare requests, blobs before manifests: no client can alter it on the way. */
export async function pushImage(dir: string, image: MadeImage, to: string): Promise<void> {
  const { base, tag } = split(to);
  const file = async ({ digest }: Made): Promise<Blob> =>
    await openAsBlob(join(dir, "blobs", digest.replace(":", "/")));
  for (const blob of image.blobs) {
    const opened = await expectStatus(202, `${base}/blobs/uploads/`, { method: "POST" });
    const location = new URL(opened.headers.get("location") ?? "", base);
    location.searchParams.set("digest", blob.digest);
    const headers = { "content-type": "application/octet-stream" };
    await expectStatus(201, location.href, { method: "PUT", headers, body: await file(blob) });
  }
  const manifests = image.manifests.map((manifest) => ({ manifest, reference: manifest.digest }));
  for (const { manifest, reference } of [...manifests, { manifest: image.root, reference: tag }]) {
    const headers = { "content-type": manifest.mediaType };
    await expectStatus(201, `${base}/manifests/${reference}`, { method: "PUT", headers, body: await file(manifest) });
  }
}

/** What a registry has under `host/name:tag`: the digest of the bytes it would serve, if there are any. */
export async function digestAt(reference: string, image: MadeImage): Promise<string | undefined> {
  const { base, tag } = split(reference);
  const answer = await fetch(`${base}/manifests/${tag}`, { headers: { accept: image.root.mediaType } });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return answer.ok ? `sha256:${createHash("sha256").update(bytes).digest("hex")}` : undefined;
}

function split(reference: string): { readonly base: string; readonly tag: string } {
  const [, host, name, tag] = /^([^/]+)\/(.+):([^:/]+)$/.exec(reference) ?? [];
  if (tag === undefined) throw new Error(`not host/name:tag: ${reference}`);
  return { base: `http://${host}/v2/${name}`, tag };
}

async function expectStatus(status: number, url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (answer.status !== status)
    throw new Error(`${init.method} ${url}: ${answer.status} instead of ${status}: ${text}`);
  return answer;
}
