import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "vitest";
import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import { createRegistry } from "../../../src/server/registry.ts";
import { diskStorage } from "../../../src/server/storage/disk.ts";
import { randomBytes } from "../../support/images.ts";
import { sender, type Send } from "../support.ts";

const pushers = 6;

/** What the registry has said is stored. */
interface Acknowledged {
  readonly blobs: Set<Digest>;
  readonly tags: Map<string, Digest>;
}

async function startServer(directory: string): Promise<{ readonly process: ChildProcess; readonly url: string }> {
  const args = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "crash-server.ts"), directory];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { process: child, url: line.toString().trim() };
}

/** Pushes image after image until the registry is gone. */
async function pushOn(url: string, name: string, acknowledged: Acknowledged, onImage: () => void): Promise<void> {
  const send = async (method: string, path: string, body?: Uint8Array | string): Promise<Response> => {
    const headers = { "content-type": mediaTypes.ociManifest };
    const answer = await fetch(new URL(path, url), { method, ...(body !== undefined && { body, headers }) });
    await answer.arrayBuffer();
    return answer;
  };
  const pushBlob = async (bytes: Uint8Array): Promise<{ digest: Digest; size: number }> => {
    const digest = digestOf(bytes);
    const half = bytes.byteLength >> 1;
    const location = (await send("POST", "/v2/app/blobs/uploads/")).headers.get("location")!;
    await send("PATCH", location, bytes.subarray(0, half));
    const answer = await send("PUT", `${location}?digest=${digest}`, bytes.subarray(half));
    if (answer.status === 201) acknowledged.blobs.add(digest);
    return { digest, size: bytes.byteLength };
  };
  try {
    for (let i = 0; ; i++) {
      const tag = `${name}-${i}`;
      const config = await pushBlob(Buffer.from(JSON.stringify({ tag })));
      const layer = await pushBlob(randomBytes(tag, i % 3 === 0 ? 1_200_000 : 500));
      const body = JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: mediaTypes.ociConfig, ...config },
        layers: [{ mediaType: mediaTypes.ociLayer, ...layer }],
      });
      const answer = await send("PUT", `/v2/app/manifests/${tag}`, body);
      if (answer.status === 201) acknowledged.tags.set(tag, digestOf(body));
      onImage();
    }
  } catch {
    // The registry has been killed.
  }
}

/** Everything acknowledged is there to the byte, and whatever is visible under tags that start so is whole. */
async function verify(send: Send, { blobs, tags }: Acknowledged, prefix: string): Promise<void> {
  const visible = (await send("GET", "/v2/app/tags/list")).json as { tags: string[] };
  expect(visible.tags).toEqual(expect.arrayContaining([...tags.keys()]));
  const needed = new Set(blobs);
  for (const tag of visible.tags.filter((tag) => tag.startsWith(prefix))) {
    const { text, headers } = await send("GET", `/v2/app/manifests/${tag}`);
    const acknowledged = tags.get(tag);
    if (acknowledged) expect(headers["docker-content-digest"]).toBe(acknowledged);
    const { config, layers } = JSON.parse(text) as { config: { digest: Digest }; layers: { digest: Digest }[] };
    for (const { digest } of [config, ...layers]) needed.add(digest);
  }
  for (const digest of needed) {
    const { status, bytes } = await send("GET", `/v2/app/blobs/${digest}`);
    expect({ status, digest: digestOf(bytes) }).toEqual({ status: 200, digest });
  }
}

/**
 * Kills a registry with SIGKILL while images are pushed to it, as often as said; after each time, and at the end, all
 * that it acknowledged must be there, and nothing by halves. Returns how many images it acknowledged.
 */
export async function killAgainAndAgain(directory: string, rounds: number): Promise<number> {
  const all: Acknowledged = { blobs: new Set(), tags: new Map() };
  for (let round = 0; round < rounds; round++) {
    const prefix = `r${round}-`;
    const acknowledged = await killOnce(directory, prefix, 5 + ((round * 5) % 23));
    await reopened(directory, (send) => verify(send, acknowledged, prefix));
    for (const digest of acknowledged.blobs) all.blobs.add(digest);
    for (const [tag, digest] of acknowledged.tags) all.tags.set(tag, digest);
  }
  await reopened(directory, (send) => verify(send, all, ""));
  return all.tags.size;
}

/** Kills a registry once so many images have been pushed, in the middle of others; returns what it acknowledged. */
async function killOnce(directory: string, prefix: string, after: number): Promise<Acknowledged> {
  const { process: child, url } = await startServer(directory);
  const exited = once(child, "exit");
  try {
    await expect(diskStorage(directory).open()).rejects.toMatchObject({ code: "CONFLICT" });
    const acknowledged: Acknowledged = { blobs: new Set(), tags: new Map() };
    let images = 0;
    const onImage = (): void => void (++images === after && child.kill("SIGKILL"));
    await Promise.all(Array.from({ length: pushers }, (_, i) => pushOn(url, `${prefix}p${i}`, acknowledged, onImage)));
    return acknowledged;
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
}

async function reopened(directory: string, use: (send: Send) => Promise<void>): Promise<void> {
  const registry = createRegistry({ storage: diskStorage(directory) });
  try {
    await use(sender(registry.transport));
  } finally {
    await registry.close();
  }
}
