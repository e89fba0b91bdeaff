import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { recorder } from "./support/recorder.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantryPath, must, run } from "./support/run.ts";

// What was promoted is read by skopeo and crane, and its receipt found by oras and regctl, where the registry lists referrers
// and where a tag stands for that list.
const receiptType = "application/vnd.gantry.promotion.v1+json";
const names = ["docker", "gantry"] as const;
type Name = (typeof names)[number];

let work: string;
let clients: Clients;
let images: Readonly<Record<string, MadeImage>>;
let registries: Readonly<Record<Name, RunningRegistry>>;

const gantry = (...words: readonly string[]): Promise<string> =>
  must(run(gantryPath, words, { cwd: work, env: { HOME: work, GITHUB_ACTOR: "octocat" } }));

describeWith(["docker-registry", "skopeo", "crane", "regctl", "oras"], "promoted images", () => {
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-promote-"));
    clients = await openClients(join(work, "home"));
    const platforms = ["linux/amd64", "linux/arm64"];
    const made = ["1.2.3", "1.2.4"].map(
      async (tag) => [tag, await makeImage(join(work, tag), { platforms, seed: tag })] as const,
    );
    images = Object.fromEntries(await Promise.all(made));
    const [docker, own] = await Promise.all([startDockerRegistry(), startGantryRegistry()]);
    registries = { docker, gantry: own };
    await writeFile(join(work, "sbom.json"), "{}");
    for (const { host } of [docker, own]) {
      for (const [tag, image] of Object.entries(images)) {
        const place = `${host}/dev/app:${tag}`;
        await pushImage(join(work, tag), image, place);
        const sbom = ["--artifact-type", "application/spdx+json", place, `${join(work, "sbom.json")}:application/json`];
        await must(clients.oras("attach", "--disable-path-validation", ...sbom));
      }
    }
  });
  afterAll(async () => {
    await Promise.all(Object.values(registries ?? {}).map((registry) => registry.stop()));
    await rm(work, { recursive: true, force: true });
  });

  const digestOf = (tag: string): string => images[tag]!.root.digest;

  describe.each(names)("at %s", (name) => {
    const dev = (tag: string): string => `${registries[name].host}/dev/app:${tag}`;
    const prod = (tag: string): string => `${registries[name].host}/prod/app:${tag}`;
    const promote = (tag: string, ...words: string[]): Promise<string> =>
      gantry("promote", dev(tag), "--to", prod("").slice(0, -1), "--tag", "{tag},stable", "--semver-tags", ...words);

    test("skopeo and crane read them by every tag, whole", async () => {
      await promote("1.2.3", "--yes");
      for (const tag of ["1.2.3", "1.2", "1", "stable"]) {
        expect((await must(clients.crane("digest", prod(tag)))).trim()).toBe(digestOf("1.2.3"));
      }
      await must(clients.crane("validate", "--remote", prod("stable")));
      await must(clients.skopeo("copy", "--all", `docker://${prod("stable")}`, `dir:${join(work, `${name}-pulled`)}`));
    });

    test("inside one registry no blob is sent but the receipt", async () => {
      await using seen = await recorder(registries[name].host);
      await gantry("promote", `${seen.host}/dev/app:1.2.3`, "--to", `${seen.host}/mounted/app`, "--yes");
      const asked = (form: RegExp): number => seen.requests.filter((request) => form.test(request)).length;
      expect(asked(/^POST .*[?&]mount=/)).toBeGreaterThanOrEqual(images["1.2.3"]!.blobs.length);
      expect(asked(/^(?:PUT|PATCH) .*\/blobs\/uploads\//)).toBe(1);
      expect(asked(/^GET .*\/blobs\//)).toBe(0);
    });

    test("oras and regctl find the receipt, and what was attached before", async () => {
      const found = JSON.parse(await must(clients.oras("discover", "--format", "json", prod("stable"))));
      const referrers = (found.manifests ?? found.referrers) as { artifactType: string; annotations: object }[];
      expect(referrers.map(({ artifactType }) => artifactType).toSorted()).toEqual([
        "application/spdx+json",
        receiptType,
      ]);
      expect(referrers.find(({ artifactType }) => artifactType === receiptType)!.annotations).toMatchObject({
        "dev.gantry.promotion.kind": "promotion",
        "dev.gantry.promotion.who": "octocat",
        "dev.gantry.promotion.tags": "1.2.3,stable,1.2,1",
      });
      const get = ["artifact", "get", "--subject", prod("stable"), "--filter-artifact-type", receiptType];
      expect(JSON.parse(await must(clients.regctl(...get)))).toMatchObject({
        version: 1,
        digest: digestOf("1.2.3"),
        from: `${dev("1.2.3")}@${digestOf("1.2.3")}`,
        who: { name: "octocat", by: "GitHub Actions" },
      });
    });

    test("a rollback is seen by others, and again is nothing to do", async () => {
      await promote("1.2.4", "--yes");
      expect((await must(clients.crane("digest", prod("stable")))).trim()).toBe(digestOf("1.2.4"));
      await gantry("rollback", prod("stable"), "--yes");
      for (const tag of ["1.2", "1", "stable"]) {
        expect((await must(clients.crane("digest", prod(tag)))).trim()).toBe(digestOf("1.2.3"));
      }
      expect((await must(clients.crane("digest", prod("1.2.4")))).trim()).toBe(digestOf("1.2.4"));
      const history = JSON.parse(await gantry("promote", "history", prod("stable"), "--format", "json"));
      expect(history.map(({ receipt }: { receipt: { kind: string } }) => receipt.kind)).toEqual([
        "rollback",
        "promotion",
        "promotion",
      ]);
      expect(JSON.parse(await promote("1.2.3", "--format", "json")).steps).toEqual([]);
    });
  });

  test("from one registry to the other, a receipt stays with the tags of its own", async () => {
    const to = `${registries.gantry.host}/far/app`;
    await gantry("promote", `${registries.docker.host}/prod/app:1.2.3`, "--to", to, "--yes");
    const list = await must(clients.regctl("artifact", "list", `${to}:1.2.3`));
    expect(list).toContain(receiptType);
    const history = JSON.parse(await gantry("promote", "history", `${to}:1.2.3`, "--format", "json"));
    expect(history.map(({ receipt }: { receipt: { to: string } }) => receipt.to)).toEqual([to]);
  });
});
