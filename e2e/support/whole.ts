import { createHash } from "node:crypto";
import type { MadeImage } from "./images.ts";

/** What of an image a registry lacks or has wrong in `host/name`, asked with bare requests and every byte hashed; nothing where it is whole. */
export async function faultsOf(place: string, { manifests, root, blobs }: MadeImage): Promise<readonly string[]> {
  const slash = place.indexOf("/");
  const base = `http://${place.slice(0, slash)}/v2${place.slice(slash)}`;
  const wanted = [
    ...[root, ...manifests].map(({ digest, mediaType }) => ({
      path: `manifests/${digest}`,
      digest,
      accept: mediaType,
    })),
    ...blobs.map(({ digest }) => ({ path: `blobs/${digest}`, digest, accept: "*/*" })),
  ];
  const faults = wanted.map(async ({ path, digest, accept }) => {
    const answer = await fetch(`${base}/${path}`, { headers: { accept } });
    if (!answer.ok) return [`${path}: ${answer.status}`];
    const hash = createHash("sha256");
    for await (const piece of answer.body ?? []) hash.update(piece);
    return `sha256:${hash.digest("hex")}` === digest ? [] : [`${path}: other bytes`];
  });
  return (await Promise.all(faults)).flat();
}
