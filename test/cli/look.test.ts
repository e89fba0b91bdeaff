import { describe, expect, test } from "vitest";
import { buildManifest, contentOf, digestOf, mediaTypes } from "../../src/index.ts";
import { artifact, artifactManifest, image, nestedIndex, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, must, testRegistry, type TestRegistry } from "./support.ts";

const app = twoPlatforms("app");
const [amd64, arm64] = app.children.map((child) => child.manifest);
const sbom = artifact("sbom", app.manifest.descriptor, { type: "application/spdx+json" });

async function withApp(): Promise<TestRegistry> {
  const registry = await testRegistry();
  await putImage(registry.store("team/app"), app, "1");
  await putImage(registry.store("team/app"), sbom);
  return registry;
}

describe("ls", () => {
  test("of a host lists repositories, with --long how many tags each has", async () => {
    const { host, store } = await withApp();
    for (const tag of ["a", "b"]) await putImage(store("other"), image("x"), tag);
    expect(await must("ls", host)).toBe("other\nteam/app\n");
    expect(await must("ls", `docker://${host}`)).toBe("other\nteam/app\n");
    expect(await must("ls", `${host}/team/`)).toBe("team/app\n");
    expect(await must("ls", "-l", host)).toBe("REPOSITORY  TAGS\nother          2\nteam/app       1\n");
  });

  test("of a repository lists tags, with --long what they are", async () => {
    const { host, store } = await withApp();
    await putImage(store("team/app"), image("single", { platform: "linux/arm64" }), "0.9");
    expect(await must("ls", `${host}/team/app`)).toBe("0.9\n1\n");
    const lines = (await must("ls", "-l", `${host}/team/app`)).split("\n");
    expect(lines[1]).toMatch(/^0\.9 +sha256:[0-9a-f]{64} +2\.8 kB +\d{4}-\d\d-\d\d \d\d:\d\d +linux\/arm64$/);
    expect(lines[2]).toMatch(
      new RegExp(`^1 +${app.manifest.descriptor.digest} +6\\.1 kB +\\S+ \\S+ +linux/amd64, linux/arm64$`),
    );
  });

  test("of what is not there says so", async () => {
    const { host } = await testRegistry();
    expect(await gantry(["ls", `${host}/nothing`])).toMatchObject({ code: 3, stdout: "" });
    const empty = await temporaryDirectory();
    for (const place of ["oci:nowhere", `oci:${empty}`, "oci-archive:no.tar", "docker-archive:no.tar", "dir:nowhere"])
      expect(await gantry(["ls", place])).toMatchObject({ code: 3, stdout: "" });
    expect((await gantry(["ls", host])).code).toBe(0);
  });
});

describe("digest", () => {
  test("of an index, and of one platform in it", async () => {
    const { host } = await withApp();
    expect(await must("digest", `${host}/team/app:1`)).toBe(`${app.manifest.descriptor.digest}\n`);
    expect(await must("digest", "--platform", "linux/arm64", `${host}/team/app:1`)).toBe(
      `${arm64!.descriptor.digest}\n`,
    );
  });

  test("names the platforms there are where the one asked for is missing", async () => {
    const { host } = await withApp();
    const { code, stderr } = await gantry(["digest", "--platform", "windows/amd64", `${host}/team/app:1`]);
    expect(code).toBe(3);
    expect(stderr).toContain("choose one with --platform: linux/amd64, linux/arm64");
  });
});

describe("manifest and config", () => {
  test("are byte for byte what is stored", async () => {
    const { host } = await withApp();
    expect((await gantry(["manifest", `${host}/team/app:1`])).bytes).toEqual(Buffer.from(app.manifest.bytes));
    expect((await gantry(["manifest", "--platform", "linux/amd64", `${host}/team/app:1`])).bytes).toEqual(
      Buffer.from(amd64!.bytes),
    );
    const config = await gantry(["config", "--platform", "linux/arm64", `${host}/team/app:1`]);
    expect(config.bytes).toEqual(Buffer.from(app.children[1]!.blobs[0]!.bytes));
  });

  test("on a terminal cannot forge its screen, and end their line", async () => {
    const { host, store } = await testRegistry();
    const config = Buffer.from('{"os":"linux","architecture":"amd64","author":"\u009B2J"}');
    await store("app").putBlob({ digest: digestOf(config) }, contentOf(config));
    const descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength };
    await store("app").putManifest(
      buildManifest({ mediaType: mediaTypes.ociManifest, config: descriptor, layers: [] }),
      { tag: "1" },
    );
    expect((await gantry(["config", `${host}/app:1`])).bytes).toEqual(config);
    expect((await gantry(["config", `${host}/app:1`], { terminal: 80 })).stdout).toBe(
      `{"os":"linux","architecture":"amd64","author":"${String.raw`\u009b`}2J"}\n`,
    );
  });
});

describe("inspect", () => {
  test("sums an index up", async () => {
    const { host } = await withApp();
    const lines = (await must("inspect", `${host}/team/app:1`)).split("\n");
    expect(lines.slice(0, 4)).toEqual([
      `Name    ${host}/team/app:1`,
      `Digest  ${app.manifest.descriptor.digest}`,
      "Type    OCI index",
      "Size    6.1 kB",
    ]);
    expect(lines.slice(5)).toEqual([
      expect.stringMatching(/^PLATFORM +DIGEST +SIZE +LAYERS +CREATED$/),
      expect.stringMatching(/^linux\/amd64 .* 2\.8 kB +2$/),
      expect.stringMatching(/^linux\/arm64 .* 2\.8 kB +2$/),
      "",
    ]);
  });

  test("of one platform shows its layers", async () => {
    const { host } = await withApp();
    const text = await must("inspect", "--platform", "linux/arm64", `${host}/team/app:1`);
    expect(text).toContain("Platform  linux/arm64\n");
    expect(text).toMatch(/\n2 LAYERS +SIZE\nsha256:[0-9a-f]{64} +1\.0 kB\n/);
  });

  test("of an artifact names its type", async () => {
    const { host, store } = await withApp();
    await putImage(store("team/app"), sbom, "sbom");
    expect(await must("inspect", `${host}/team/app:sbom`)).toContain("Type    artifact, application/spdx+json\n");
  });

  test("of an index in an index, and of an artifact in the withdrawn manifest type", async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), nestedIndex("n"), "nested");
    await putImage(store("app"), artifactManifest("old", app.manifest.descriptor), "old");
    expect(JSON.parse(await must("inspect", "--format", "json", `${host}/app:nested`))).toMatchObject({
      images: [{ platform: "linux/amd64" }, { mediaType: mediaTypes.ociIndex }],
    });
    expect(await must("inspect", `${host}/app:old`)).toContain("application/vnd.example.old");
  });
});

describe("tree", () => {
  test("draws children and what is attached", async () => {
    const { host } = await withApp();
    expect(await must("tree", `${host}/team/app:1`)).toBe(
      [
        `${host}/team/app:1  ${app.manifest.descriptor.digest}  index  491 B`,
        `├─ linux/amd64  ${amd64!.descriptor.digest}  2 layers, 2.8 kB`,
        `├─ linux/arm64  ${arm64!.descriptor.digest}  2 layers, 2.8 kB`,
        `└─ application/spdx+json  ${sbom.manifest.descriptor.digest}  referrer  1 file, 774 B`,
        "",
      ].join("\n"),
    );
    expect(await must("tree", "--no-referrers", `${host}/team/app:1`)).not.toContain("spdx");
  });

  test("shows what an index lists and the repository has not got", async () => {
    const { host, store } = await withApp();
    await store("team/app").deleteManifest(amd64!.descriptor.digest);
    expect(await must("tree", `${host}/team/app:1`)).toContain(`linux/amd64  ${amd64!.descriptor.digest}  missing`);
  });

  test("shows what a digest tag names", async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), image("signed"), "1");
    const tag = `${image("signed").manifest.descriptor.digest.replace(":", "-")}.sig`;
    await putImage(store("app"), image("signature", { layers: 1 }), tag);
    expect(await must("tree", `${host}/app:1`)).toMatch(new RegExp(`└─ ${tag}  sha256:[0-9a-f]+  tag  1 layer`));
  });
});
