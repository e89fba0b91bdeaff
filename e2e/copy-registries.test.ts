import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CopyOutcome } from "../src/index.ts";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { digestAt, pushImage } from "./support/push.ts";
import { recorder } from "./support/recorder.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, must } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// `gantry copy` between docker-registry, which knows no referrers API, and `gantry serve`, which does.
const platforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"];
const kinds = [
  { kind: "an OCI image", tag: "oci", options: {} },
  { kind: "an OCI index", tag: "oci-index", options: { platforms, layerSize: 300_000 } },
  { kind: "a Docker image", tag: "docker", options: { docker: true, layerSize: 2_000_000 } },
  { kind: "a Docker list", tag: "docker-list", options: { docker: true, platforms, layers: 3 } },
];

let work: string;
let clients: Clients;
let registries: Readonly<Record<"docker" | "gantry", RunningRegistry>>;
const made = new Map<string, MadeImage>();

const imageOf = (tag: string): MadeImage => made.get(tag)!;
const rootOf = (tag: string): string => imageOf(tag).root.digest;

async function copy(...args: readonly string[]): Promise<CopyOutcome> {
  return JSON.parse(await must(gantry("copy", "--format", "json", "--progress", "none", ...args)));
}
async function tagsAt(place: string): Promise<readonly string[]> {
  return (await must(gantry("ls", place))).split("\n").filter(Boolean).toSorted();
}

describeWith("docker-registry", "gantry copy", () => {
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-copy-"));
    clients = await openClients(join(work, "home"));
    const [docker, gantry] = await Promise.all([startDockerRegistry(), startGantryRegistry()]);
    registries = { docker, gantry };
    for (const { tag, options } of kinds) {
      const image = await makeImage(join(work, "layout"), { ...options, tag, seed: tag });
      made.set(tag, image);
      for (const { host } of [docker, gantry]) await pushImage(join(work, "layout"), image, `${host}/source:${tag}`);
    }
  });
  afterAll(async () => {
    await Promise.all(Object.values(registries ?? {}).map((registry) => registry.stop()));
    await rm(work, { recursive: true, force: true });
  });

  const pairs = (["docker", "gantry"] as const).flatMap((from) =>
    (["docker", "gantry"] as const).map((to) => ({ from, to })),
  );
  describe.each(pairs)("from $from to $to", ({ from, to }) => {
    const source = (): string => `${registries[from].host}/source`;
    const destination = (name: string): string => `${registries[to].host}/from-${from}/${name}`;

    test.each(kinds)("brings $kind over unchanged, and once", async ({ tag }) => {
      const { blobs } = imageOf(tag);
      const total = blobs.reduce((sum, { size }) => sum + size, 0);
      const [first] = (await copy(`${source()}:${tag}`, destination(tag))).images;
      expect(first).toMatchObject({ to: `${destination(tag)}:${tag}`, digest: rootOf(tag), outcome: "copied" });
      expect(first).toMatchObject(
        from === to
          ? { bytes: 0, blobs: { mounted: blobs.length } }
          : { bytes: total, blobs: { written: blobs.length } },
      );
      expect(await digestAt(`${destination(tag)}:${tag}`, imageOf(tag))).toBe(rootOf(tag));
      expect(await faultsOf(destination(tag), imageOf(tag))).toEqual([]);
      const again = await copy(`${source()}:${tag}`, destination(tag));
      expect(again).toMatchObject({ bytes: 0, images: [{ digest: rootOf(tag), blobs: { exists: blobs.length } }] });
    });

    test("brings every tag, and none of them again", async () => {
      const { images } = await copy("--all-tags", source(), destination("all"));
      expect(images.map(({ outcome }) => outcome)).toEqual(kinds.map(() => "copied"));
      expect(await tagsAt(destination("all"))).toEqual(kinds.map(({ tag }) => tag).toSorted());
      for (const { tag } of kinds) expect(await faultsOf(destination("all"), imageOf(tag))).toEqual([]);
      const again = await copy("--all-tags", source(), destination("all"));
      expect(again.images.map(({ outcome }) => outcome)).toEqual(kinds.map(() => "unchanged"));
    });

    test("asks no questions twice", async () => {
      await using seen = await recorder(registries[to].host);
      const place = `${seen.host}/budget/${from}`;
      const { blobs } = imageOf("oci");
      await copy("--no-referrers", `${source()}:oci`, `${place}:oci`);
      const first = seen.requests.length;
      expect(first).toBeLessThanOrEqual(3 * blobs.length + 1);
      await copy("--no-referrers", `${source()}:oci`, `${place}:oci`);
      const again = seen.requests.slice(first);
      expect(again.filter((line) => line.startsWith("HEAD "))).toHaveLength(blobs.length);
      expect(again).toHaveLength(blobs.length + 1);
    });
  });

  describe.each(["docker", "gantry"] as const)("to %s", (to) => {
    const source = (): string => `${registries.gantry.host}/source`;
    const place = (name: string): string => `${registries[to].host}/chosen/${name}`;

    test("one platform is copied as the image itself", async () => {
      const [, arm64] = imageOf("oci-index").manifests;
      const { images } = await copy("--platform", "linux/arm64", `${source()}:oci-index`, place("one"));
      expect(images).toMatchObject([{ digest: arm64!.digest, manifests: 1 }]);
      expect(await must(gantry("digest", `${place("one")}:oci-index`))).toBe(arm64!.digest);
    });

    test("two of three platforms are an index of their own, whose images stay as they are", async () => {
      const [amd64, arm64, arm] = imageOf("docker-list").manifests;
      await copy("--platform", "linux/amd64,linux/arm64", `${source()}:docker-list`, place("two"));
      const list = JSON.parse(await must(gantry("manifest", `${place("two")}:docker-list`)));
      expect(list).toMatchObject({ mediaType: imageOf("docker-list").root.mediaType });
      expect(list.manifests.map((one: { digest: string }) => one.digest)).toEqual([amd64!.digest, arm64!.digest]);
      expect((await gantry("manifest", `${place("two")}@${arm!.digest}`)).code).toBe(3);
      await must(gantry("check", "--deep", `${place("two")}:docker-list`));
    });

    test("with --no-clobber, tags that are there stay, and others come", async () => {
      await copy(`${source()}:docker`, `${place("kept")}:oci`);
      const { images } = await copy("--all-tags", "--no-clobber", source(), place("kept"));
      const outcomes = Object.fromEntries(
        images.map((one) => [one.to.slice(one.to.lastIndexOf(":") + 1), one.outcome]),
      );
      expect(outcomes).toEqual({ oci: "kept", "oci-index": "copied", docker: "copied", "docker-list": "copied" });
      expect(await must(gantry("digest", `${place("kept")}:oci`))).toBe(rootOf("docker"));
    });

    test("with --dry-run, nothing is written", async () => {
      await using seen = await recorder(registries[to].host);
      const { images, bytes } = await copy(
        "--dry-run",
        "--all-tags",
        `${registries.docker.host}/source`,
        `${seen.host}/dry`,
      );
      expect(images.map(({ outcome }) => outcome)).toEqual(kinds.map(() => "copied"));
      expect(bytes).toBeGreaterThan(2_000_000);
      expect(seen.requests.length).toBeGreaterThan(0);
      expect(seen.requests.filter((line) => !/^(GET|HEAD) /.test(line))).toEqual([]);
    });

    test("with --to-oci, Docker's media types become OCI's, and blobs stay as they are", async () => {
      await copy("--to-oci", `${source()}:docker-list`, place("turned"));
      const index = JSON.parse(await must(gantry("manifest", `${place("turned")}:docker-list`)));
      expect(index.mediaType).toBe("application/vnd.oci.image.index.v1+json");
      const child = await must(gantry("manifest", `${place("turned")}@${index.manifests[0].digest}`));
      expect(child).not.toContain("vnd.docker");
      expect(child).toContain(imageOf("docker-list").blobs[0]!.digest);
      await must(gantry("check", "--deep", `${place("turned")}:docker-list`));
    });

    describeWith("podman", "podman", () => {
      test("runs what became OCI: its id is the same", async () => {
        await copy("--to-oci", `${source()}:docker`, place("podman"));
        const id = await must(clients.podman("pull", "--quiet", `${place("podman")}:docker`));
        expect(`sha256:${id}`).toBe(imageOf("docker").blobs[0]!.digest);
      });
    });

    // What others read out of the destination.
    for (const { name, args } of [
      { name: "crane", args: ["digest", "PLACE"] },
      { name: "regctl", args: ["image", "digest", "PLACE"] },
      { name: "oras", args: ["resolve", "PLACE"] },
      { name: "skopeo", args: ["inspect", "--raw", "docker://PLACE"] },
    ] as const) {
      describeWith(name, name, () => {
        test.each(kinds)("reads $kind", async ({ tag }) => {
          await copy(`${source()}:${tag}`, place("read"));
          const found = await clients[name](...args.map((arg) => arg.replace("PLACE", `${place("read")}:${tag}`)));
          if (name === "skopeo") expect(found.bytes.length).toBe(imageOf(tag).root.size);
          else expect(found.stdout.trim()).toBe(rootOf(tag));
        });
      });
    }

    describeWith("crane", "crane", () => {
      test("finds a copy whole", async () => {
        await copy(`${source()}:oci-index`, place("valid"));
        await must(clients.crane("validate", "--remote", `${place("valid")}:oci-index`));
      });
    });
  });

  describeWith("skopeo", "skopeo", () => {
    test("finds all tags in a docker-archive under whole names, and what is attached under none", async () => {
      const [archive, place] = [`docker-archive:${join(work, "all.tar")}`, `${registries.gantry.host}/named/app`];
      await copy("--all-tags", `${registries.docker.host}/source`, place);
      await copy(`${place}:oci`, `${place}:sha256-${rootOf("docker").slice("sha256:".length)}.sig`);
      await copy("--all-tags", place, archive);
      const { Tags: tags } = JSON.parse(await must(clients.skopeo("list-tags", archive)));
      expect(tags.toSorted()).toEqual(kinds.map(({ tag }) => `${place}:${tag}`).toSorted());
    });
  });

  test("several destinations are fed by one read", async () => {
    await using seen = await recorder(registries.docker.host);
    const tag = "docker-list";
    const places = Object.values(registries).map(({ host }) => `${host}/several`);
    const layout = join(work, "several");
    const { images } = await copy(`${seen.host}/source:${tag}`, ...places, `oci:${layout}`);
    expect(images.map(({ digest }) => digest)).toEqual([rootOf(tag), rootOf(tag), rootOf(tag)]);
    for (const place of places) expect(await faultsOf(place, imageOf(tag))).toEqual([]);
    expect(await must(gantry("digest", `oci:${layout}:${tag}`))).toBe(rootOf(tag));
    const reads = seen.requests.filter((line) => line.startsWith("GET ") && line.includes("/blobs/"));
    expect(reads).toHaveLength(imageOf(tag).blobs.length);
  });
});
