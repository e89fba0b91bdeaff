import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import { createRegistry } from "../../../src/server/registry.ts";
import { diskStorage } from "../../../src/server/storage/disk.ts";
import { randomBytes } from "../../support/images.ts";
import { sender, type Send } from "../support.ts";
import { temporaryDirectory } from "./storages.ts";

const rounds = 3;
const pushers = 6;

/** What the registry has said is stored. */
interface Acknowledged {
  readonly blobs: Set<Digest>;
  readonly tags: Map<string, Digest>;
}

async function startServer(directory: string): Promise<{ readonly process: ChildProcess; readonly url: string }> {
  const args = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "crash-server.ts"), directory];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
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

/** Everything acknowledged is there to the byte, and whatever is visible is whole. */
async function verify(send: Send, { blobs, tags }: Acknowledged): Promise<void> {
  const visible = (await send("GET", "/v2/app/tags/list")).json as { tags: string[] };
  expect(visible.tags).toEqual(expect.arrayContaining([...tags.keys()]));
  const needed = new Set(blobs);
  for (const tag of visible.tags) {
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

test(
  "a registry killed in the middle of pushes has all that it acknowledged, and nothing by halves",
  { timeout: 60_000 },
  async () => {
    const directory = await temporaryDirectory();
    const acknowledged: Acknowledged = { blobs: new Set(), tags: new Map() };
    for (let round = 0; round < rounds; round++) {
      const { process: child, url } = await startServer(directory);
      await expect(diskStorage(directory).open()).rejects.toMatchObject({ code: "CONFLICT" });
      const exited = once(child, "exit");
      let images = 0;
      const onImage = (): void => void (++images === 5 + round * 5 && child.kill("SIGKILL"));
      await Promise.all(
        Array.from({ length: pushers }, (_, i) => pushOn(url, `r${round}-p${i}`, acknowledged, onImage)),
      );
      await exited;
      const registry = createRegistry({ storage: diskStorage(directory) });
      await verify(sender(registry.transport), acknowledged);
      await registry.close();
    }
    expect(acknowledged.tags.size).toBeGreaterThan(rounds * 5);
  },
);
