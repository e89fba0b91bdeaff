import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { type MadeImage, makeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, gantryPath, must, run } from "./support/run.ts";

// Archives through pipes: `gantry pull REF -` and `gantry push - REF`.
let work: string;
let clients: Clients;
let registry: RunningRegistry;
let image: MadeImage;
let big: MadeImage;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-pipes-"));
  clients = await openClients(join(work, "home"));
  registry = await startGantryRegistry();
  image = await makeImage(join(work, "layout"), { tag: "v1", platforms: ["linux/amd64", "linux/arm64"] });
  big = await makeImage(join(work, "layout"), { tag: "big", layers: 3, layerSize: 4_000_000 });
  await pushImage(join(work, "layout"), image, at("source:v1"));
  await pushImage(join(work, "layout"), big, at("source:big"));
});
afterAll(async () => {
  await registry?.stop();
  await rm(work, { recursive: true, force: true });
});

const at = (name: string): string => `${registry.host}/${name}`;

for (const format of ["oci-archive", "docker-archive"]) {
  test(`${format}: out of one gantry, into the next`, async () => {
    const to = at(`piped/${format}:v1`);
    const flags = `--as ${format} --platform linux/amd64 --progress none`;
    const line = `"$0" pull ${flags} "$1" - | "$0" push --as ${format} - "$2"`;
    await must(run("bash", ["-o", "pipefail", "-c", line, gantryPath, at("source:v1"), to]));
    expect(await must(gantry("digest", to))).toBe(image.manifests[0]!.digest);
  });
}

describeWith("podman", "podman", () => {
  test("loads what comes out, and what it saves goes in", async () => {
    const { code, bytes } = await gantry("pull", "--as", "docker-archive", at("source:big"), "-");
    expect(code).toBe(0);
    await writeFile(join(work, "out.tar"), bytes);
    await must(clients.podman("load", "--quiet", "--input", join(work, "out.tar")));
    const id = await must(clients.podman("image", "inspect", "--format", "{{.Id}}", at("source:big")));
    expect(`sha256:${id}`).toBe(big.blobs[0]!.digest);
    const saved = await clients.podman("save", "--quiet", "--format", "docker-archive", at("source:big"));
    expect(saved.code).toBe(0);
    const push = ["push", "--as", "docker-archive", "-", at("saved:v1")];
    await must(run(gantryPath, push, { stdin: saved.bytes }));
    expect(await must(gantry("config", at("saved:v1")))).toBe(await must(gantry("config", at("source:big"))));
  });
});

test("an archive that breaks off is an error, and nothing is visible", async () => {
  const { bytes } = await gantry("pull", at("source:big"), "-");
  for (const part of [0, 100, 5000, bytes.length / 2]) {
    const { code, stderr } = await run(gantryPath, ["push", "-", at("broken:v1")], {
      stdin: bytes.subarray(0, part),
    });
    expect({ code, stderr }).not.toMatchObject({ code: 0 });
    expect(stderr).toMatch(/^error: /);
  }
  expect((await gantry("digest", at("broken:v1"))).code).toBe(3);
});
