import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client, type ServiceRegistry } from "../src/index.ts";
import { image, putImage, twoPlatforms, type TestImage } from "../test/support/images.ts";
import { describeWith } from "./support/peers.ts";
import { startDockerRegistry, type RunningRegistry } from "./support/registries.ts";

describeWith("docker-registry", "docker-registry as a service", () => {
  let registry: RunningRegistry;
  let client: Client;
  let service: ServiceRegistry;
  const one = image("one");
  const two = twoPlatforms("two");
  const put = (of: TestImage, repository: string, tag: string): Promise<void> =>
    putImage(service.repository(repository), of, tag);

  beforeAll(async () => {
    registry = await startDockerRegistry();
    client = createClient({ env: {} });
    service = await client.service(registry.host);
  });
  afterAll(async () => {
    await client.close();
    await registry.stop();
  });

  test("is known for a plain registry", async () => {
    expect((await client.service(registry.host)).provider.name).toBe("generic");
  });

  test("lists and searches repositories, and tells of one", async () => {
    for (const name of ["list/app", "list/base", "other/app"]) await put(one, name, "v1");
    expect(await Array.fromAsync(service.listRepositories("list/"))).toEqual([
      { name: "list/app" },
      { name: "list/base" },
    ]);
    const found = await Array.fromAsync(service.search({ term: "APP" }));
    expect(found.map(({ reference }) => reference)).toEqual([
      `${registry.host}/list/app`,
      `${registry.host}/other/app`,
    ]);
    expect(await Array.fromAsync(service.search({ term: "app", limit: 1 }))).toHaveLength(1);
    expect(await service.describeRepository("list/app")).toEqual({ name: "list/app", tags: 1 });
    expect(await service.describeRepository("list/absent")).toBeUndefined();
  });

  test("lists images with what their manifests and configs say", async () => {
    await put(one, "images/app", "one");
    await put(two, "images/app", "two");
    const images = await Array.fromAsync(service.images("images/app"));
    const size = (of: TestImage): number =>
      of.manifest.descriptor.size + of.blobs.reduce((sum, blob) => sum + blob.descriptor.size, 0);
    expect(images.toSorted((a, b) => (a.tags[0]! < b.tags[0]! ? -1 : 1))).toEqual([
      {
        tags: ["one"],
        digest: one.manifest.descriptor.digest,
        mediaType: one.manifest.descriptor.mediaType,
        size: size(one),
        sizeKind: "manifest",
        platforms: ["linux/amd64"],
      },
      {
        tags: ["two"],
        digest: two.manifest.descriptor.digest,
        mediaType: two.manifest.descriptor.mediaType,
        size: size(two) + two.children.map(size).reduce((a, b) => a + b),
        sizeKind: "children",
        platforms: ["linux/amd64", "linux/arm64"],
        children: two.children.map((child) => child.manifest.descriptor.digest),
      },
    ]);
    await expect(Array.fromAsync(service.images("images/absent"))).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
  });

  test("deletes by digest, and tells of each", async () => {
    await put(one, "delete/app", "one");
    await put(two, "delete/app", "two");
    const absent = `sha256:${"0".repeat(64)}` as const;
    const { digest } = one.manifest.descriptor;
    const deletions = await Array.fromAsync(service.deleteManifests("delete/app", [digest, absent]));
    expect(deletions.map(({ digest: of, outcome }) => [of, outcome])).toEqual([
      [digest, "deleted"],
      [absent, "absent"],
    ]);
    expect(await Array.fromAsync(service.repository("delete/app").tags())).toEqual(["two"]);
  });

  test("leaves all tags where the registry deletes none alone", async () => {
    await put(one, "tag/app", "one");
    await put(one, "tag/app", "same");
    await expect(service.deleteTag("tag/app", "one")).rejects.toMatchObject({ code: "UNSUPPORTED" });
    expect((await Array.fromAsync(service.repository("tag/app").tags())).toSorted()).toEqual(["one", "same"]);
  });

  test("says what is left of a limit when it tells of one", async () => {
    expect(await service.allowances()).toEqual([]);
  });
});
