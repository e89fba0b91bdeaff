import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantryPath, must, type Outcome, run, type Running, start } from "./support/run.ts";

// containerd, which pulls for Kubernetes: its daemon with nothing but a store for content, and its client ctr.
describeWith("containerd", "containerd", () => {
  let work: string;
  let registry: RunningRegistry;
  let daemon: Running;
  let image: MadeImage;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-containerd-"));
    image = await makeImage(join(work, "layout"), { tag: "v1", platforms: ["linux/amd64", "linux/arm64/v8"] });
    registry = await startGantryRegistry({ htpasswd: { alice: "correct horse" }, args: ["--anonymous-pull"] });
    await must(
      run(gantryPath, [
        "copy",
        `oci:${join(work, "layout")}:v1`,
        `${registry.host}/base:v1`,
        "--creds",
        "alice:correct horse",
      ]),
    );
    const config = [
      "version = 2",
      `root = "${join(work, "root")}"`,
      `state = "${join(work, "state")}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      `[grpc]\naddress = "${join(work, "socket")}"`,
    ];
    await writeFile(join(work, "config.toml"), config.join("\n"));
    daemon = start("containerd", ["--config", join(work, "config.toml")]);
    await vi.waitFor(() => expect(daemon.stderr()).toContain("successfully booted"), { timeout: 30_000, interval: 50 });
  });
  afterAll(async () => {
    await daemon?.stop();
    await registry?.stop();
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  });

  const ctr = (...args: readonly string[]): Promise<Outcome> =>
    run("ctr", ["--address", join(work, "socket"), ...args]);
  const here = ["--plain-http"];
  const everything = ["--all-platforms", ...here];

  test("pulls a whole index without a login, and the bytes are those that were pushed", async () => {
    await must(ctr("content", "fetch", ...everything, `${registry.host}/base:v1`));
    const listed = await must(ctr("content", "list", "--quiet"));
    for (const { digest } of [...image.manifests, ...image.blobs, image.root]) expect(listed).toContain(digest);
  });

  test("is refused a push without a login, and pushes with one", async () => {
    const from = `${registry.host}/base:v1`;
    const to = `${registry.host}/by/containerd:v1`;
    expect((await ctr("images", "push", ...here, to, from)).code).not.toBe(0);
    expect((await ctr("images", "push", ...here, "--user", "alice:wrong", to, from)).code).not.toBe(0);
    await must(ctr("images", "push", ...here, "--user", "alice:correct horse", to, from));
    expect(await must(run(gantryPath, ["digest", to]))).toBe(image.root.digest);
  });
});
