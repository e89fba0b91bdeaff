import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantryPath, must, run } from "./support/run.ts";

// One file, two registries of different kinds as destinations, one of which is a source for a layout, too.
describeWith(["docker-registry", "skopeo", "regctl"], "gantry sync", () => {
  let work: string;
  let clients: Clients;
  let image: MadeImage;
  let source: RunningRegistry;
  let docker: RunningRegistry;
  let embedded: RunningRegistry;
  const signature = (): string => `${image.root.digest.replace(":", "-")}.sig`;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-sync-"));
    clients = await openClients(join(work, "home"));
    image = await makeImage(join(work, "layout"), { platforms: ["linux/amd64", "linux/arm64"] });
    [source, docker, embedded] = await Promise.all([
      startDockerRegistry(),
      startDockerRegistry(),
      startGantryRegistry(),
    ]);
    for (const name of ["team/app", "team/web"]) {
      for (const tag of ["1.0.0", "1.1.0", "dev"])
        await pushImage(join(work, "layout"), image, `${source.host}/${name}:${tag}`);
    }
    await writeFile(join(work, "note.txt"), "a note");
    const put = [
      "artifact",
      "put",
      "--artifact-type",
      "application/vnd.example.note",
      "--file",
      join(work, "note.txt"),
    ];
    await must(clients.regctl(...put, "--subject", `${source.host}/team/app:1.0.0`));
    await must(clients.regctl(...put, `${source.host}/team/app:${signature()}`));
    const file = {
      version: 1,
      defaults: { tags: [{ semver: ">=1", newest: 2 }] },
      sync: [
        {
          name: "team",
          from: `${source.host}/team/*`,
          to: [`${docker.host}/mirror/{repository}`, `${embedded.host}/mirror/{name}`],
          immutable: ["1.*"],
        },
        { name: "one", from: `${source.host}/team/app:1.1.0`, to: `oci:${work}/out:one`, platforms: ["linux/arm64"] },
      ],
    };
    await writeFile(join(work, "sync.yaml"), JSON.stringify(file));
  });
  afterAll(async () => {
    await Promise.all([source, docker, embedded].map((registry) => registry?.stop()));
    await rm(work, { recursive: true, force: true });
  });

  const sync = (...words: readonly string[]): ReturnType<typeof run> =>
    run(gantryPath, ["sync", join(work, "sync.yaml"), ...words], { env: { HOME: work, XDG_CACHE_HOME: undefined } });

  test("brings what is selected to all destinations, where other tools read it", async () => {
    const { code, stderr } = await sync("--yes");
    expect([code, stderr.includes("error")]).toEqual([0, false]);
    for (const place of [
      `${docker.host}/mirror/team/app`,
      `${embedded.host}/mirror/app`,
      `${embedded.host}/mirror/web`,
    ]) {
      const tags = (await must(clients.regctl("tag", "ls", place))).trim().split("\n");
      expect(tags.filter((tag) => !tag.startsWith("sha256-"))).toEqual(["1.0.0", "1.1.0"]);
      const raw = JSON.parse(await must(clients.skopeo("inspect", "--raw", `docker://${place}:1.0.0`)));
      expect(raw.manifests.length).toBe(2);
      expect((await must(clients.regctl("image", "digest", `${place}:1.1.0`))).trim()).toBe(image.root.digest);
    }
  });

  test("with what is attached: referrers, whichever way a registry lists them, and signatures' tags", async () => {
    for (const place of [`${docker.host}/mirror/team/app`, `${embedded.host}/mirror/app`]) {
      const tree = await must(clients.regctl("artifact", "tree", "--digest-tags", `${place}:1.0.0`));
      expect(tree).toContain("application/vnd.example.note");
      expect(tree).toContain(signature());
    }
  });

  test("a platform alone is in the layout under its own digest", async () => {
    const text = await must(clients.skopeo("inspect", "--format", "{{.Architecture}}", `oci:${work}/out:one`));
    expect(text.trim()).toBe("arm64");
  });

  test("again there is nothing to do, with a memory and without", async () => {
    for (const words of [[], ["--recheck"], ["--cache", "none"]]) {
      const { code, stdout } = await sync("--detailed-exitcode", "--format", "json", ...words);
      expect([code, JSON.parse(stdout).steps]).toEqual([0, []]);
    }
  });
});
