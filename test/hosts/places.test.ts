import { describe, expect, test } from "vitest";
import { urlAt, type Pull } from "../../src/hosts/endpoint.ts";
import { hostFiles, type HostFilesOptions } from "../../src/hosts/host-files.ts";
import { places } from "../../src/hosts/places.ts";
import { fault, machine } from "./machine.ts";

const conf = "etc/containers/registries.conf";

/** Where an image is asked for, in order. */
async function asked(
  image: string,
  files: Readonly<Record<string, string>>,
  options: { own?: readonly string[]; mirrors?: boolean; by?: Pull["by"] } & Pick<
    HostFilesOptions,
    "registryJson"
  > = {},
): Promise<readonly string[]> {
  const { own, mirrors = true, by = "tag", ...more } = options;
  const where = places({ files: hostFiles({ ...(await machine(files)), ...more }), own: () => own, mirrors });
  const [registry = "", ...path] = image.split("/");
  return where
    .endpoints({ registry, repository: path.join("/"), by })
    .map((endpoint) => urlAt(endpoint, "manifests/1").href.replace("https://", ""));
}

test("an image without settings is where its name says", async () => {
  expect(await asked("a.example:5000/team/app", {})).toEqual(["a.example:5000/v2/team/app/manifests/1"]);
  expect(await asked("docker.io/library/alpine", {})).toEqual(["registry-1.docker.io/v2/library/alpine/manifests/1"]);
});

describe("registries.conf", () => {
  const file = `
    [[registry]]
    prefix = "a.example/team"
    location = "b.example/moved"
    [[registry.mirror]]
    location = "m1.example:5000"
    [[registry.mirror]]
    location = "m2.example/x"
    pull-from-mirror = "digest-only"
    [[registry.mirror]]
    location = "m3.example"
    pull-from-mirror = "tag-only"
  `;

  test("mirrors in their order, then the place it was moved to", async () => {
    expect(await asked("a.example/team/app", { [conf]: file })).toEqual([
      "m1.example:5000/v2/app/manifests/1",
      "m3.example/v2/app/manifests/1",
      "b.example/v2/moved/app/manifests/1",
    ]);
    expect(await asked("a.example/team/app", { [conf]: file }, { by: "digest" })).toEqual([
      "m1.example:5000/v2/app/manifests/1",
      "m2.example/v2/x/app/manifests/1",
      "b.example/v2/moved/app/manifests/1",
    ]);
    expect(await asked("a.example/other/app", { [conf]: file })).toEqual(["a.example/v2/other/app/manifests/1"]);
  });

  test("without mirrors, it is moved all the same", async () => {
    expect(await asked("a.example/team/app", { [conf]: file }, { mirrors: false })).toEqual([
      "b.example/v2/moved/app/manifests/1",
    ]);
  });

  test("a place that makes no name of it is told", async () => {
    const found = await machine({ [conf]: '[[registry]]\nprefix = "a.example"\nlocation = "b.example/UPPER"' });
    const where = places({ files: hostFiles(found), own: () => undefined, mirrors: true });
    expect(fault(found.root, () => where.endpoints({ registry: "a.example", repository: "app", by: "tag" }))).toBe(
      `INVALID: /${conf}: [[registry]] "a.example": "b.example/UPPER/app" is no repository of a host (a host has a dot or a port in it, or is localhost)`,
    );
  });

  test("what is blocked is refused, a mirror that is blocked is passed over", async () => {
    const found = await machine({
      [conf]: `
        [[registry]]
        location = "bad.example"
        blocked = true
        [[registry]]
        location = "a.example/bad"
        blocked = true
        [[registry]]
        prefix = "moved.example"
        location = "bad.example/x"
        blocked = true
        [[registry]]
        location = "good.example"
        [[registry.mirror]]
        location = "bad.example"
      `,
    });
    const where = places({ files: hostFiles(found), own: () => undefined, mirrors: true });
    const check = (registry: string, repository?: string): string =>
      fault(found.root, () => where.checkBlocked(registry, repository));
    expect(check("bad.example")).toBe(
      `DENIED: bad.example is blocked: /${conf}: [[registry]] "bad.example" says so (take \`blocked = true\` out there, or name another --registries-conf)`,
    );
    expect(check("bad.example", "any")).toContain("DENIED: bad.example/any is blocked");
    expect(check("a.example", "bad/app")).toContain(`[[registry]] "a.example/bad"`);
    expect(check("moved.example", "app")).toContain(`[[registry]] "moved.example"`);
    expect(() => where.checkBlocked("a.example")).not.toThrow();
    expect(() => where.checkBlocked("a.example", "good")).not.toThrow();
    expect(where.endpoints({ registry: "good.example", repository: "app", by: "tag" })).toHaveLength(1);
  });
});

describe("hosts.toml", () => {
  const file = `
    server = "https://upstream.example"
    [host."https://resolves.example"]
    capabilities = ["resolve"]
    [host."https://pulls.example/cache"]
    capabilities = ["pull"]
    [host."https://a.example"]
    capabilities = ["push"]
  `;
  const files = { "etc/containerd/certs.d/a.example/hosts.toml": file };

  test("a host is asked for what it can, and told whose image it is", async () => {
    expect(await asked("a.example/app", files)).toEqual([
      "resolves.example/v2/app/manifests/1?ns=a.example",
      "upstream.example/v2/app/manifests/1?ns=a.example",
    ]);
    expect(await asked("a.example/app", files, { by: "digest" })).toEqual([
      "pulls.example/cache/v2/app/manifests/1?ns=a.example",
      "upstream.example/v2/app/manifests/1?ns=a.example",
    ]);
  });

  test("Docker Hub's own host is no mirror of it", async () => {
    const hub = '[host."https://m.example"]\n[host."https://registry-1.docker.io"]\n';
    expect(await asked("docker.io/library/alpine", { "etc/containerd/certs.d/docker.io/hosts.toml": hub })).toEqual([
      "m.example/v2/library/alpine/manifests/1?ns=docker.io",
      "registry-1.docker.io/v2/library/alpine/manifests/1",
      "registry-1.docker.io/v2/library/alpine/manifests/1",
    ]);
  });
});

test("Docker's mirrors are Docker Hub's alone", async () => {
  const files = { "etc/docker/daemon.json": '{"registry-mirrors": ["https://m.example"]}' };
  expect(await asked("docker.io/library/alpine", files)).toEqual([
    "m.example/v2/library/alpine/manifests/1",
    "registry-1.docker.io/v2/library/alpine/manifests/1",
  ]);
  expect(await asked("a.example/app", files)).toEqual(["a.example/v2/app/manifests/1"]);
});

test("the strongest place that has mirrors for a registry counts", async () => {
  const all = {
    "etc/containerd/certs.d/docker.io/hosts.toml": '[host."https://containerd.example"]',
    [conf]: '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "podman.example"',
    "etc/docker/daemon.json": '{"registry-mirrors": ["https://docker.example"]}',
  };
  const first = async (
    files: Readonly<Record<string, string>>,
    options?: Parameters<typeof asked>[2],
  ): Promise<string | undefined> => (await asked("docker.io/library/alpine", files, options))[0]?.split("/")[0];
  const own = { insecure: [], mirrors: { "docker.io": ["https://own.example/"] }, file: "/own.json" };
  const registryJson = (): typeof own => own;
  expect(await first(all, { own: ["flag.example"], registryJson })).toBe("flag.example");
  expect(await first(all, { registryJson })).toBe("own.example");
  expect(await first(all)).toBe("containerd.example");
  const { "etc/containerd/certs.d/docker.io/hosts.toml": _, ...rest } = all;
  expect(await first(rest)).toBe("podman.example");
  expect(await first({ "etc/docker/daemon.json": rest["etc/docker/daemon.json"] })).toBe("docker.example");
});

test.each(["mirror", "mirror/hub", "m.example:5000:1", ""])(
  "a mirror without a host (%j) is not read as Docker Hub's",
  async (mirror) => {
    await expect(asked("a.example/app", {}, { own: [mirror] })).rejects.toMatchObject({ code: "INVALID" });
  },
);

test("nor is what a prefix leaves nothing of", async () => {
  const files = { [conf]: '[[registry]]\nprefix = "a.example/app"\nlocation = "b.example"' };
  await expect(asked("a.example/app", files)).rejects.toMatchObject({ code: "INVALID" });
});

test("a mirror that is set is a place, not a URL", async () => {
  expect(await asked("a.example/app", {}, { own: ["m.example:5000/hub/", "https://n.example"] })).toEqual([
    "m.example:5000/v2/hub/app/manifests/1",
    "n.example/v2/app/manifests/1",
    "a.example/v2/app/manifests/1",
  ]);
  for (const mirror of ["https://ann:s3cret@m.example", "http://ann:s3cret@m.example", "ann:s3cret@m.example"]) {
    await expect(asked("a.example/app", {}, { own: [mirror] })).rejects.toMatchObject({
      code: "INVALID",
      message: "the mirrors set for a.example: one has a user in it",
    });
  }
  await expect(asked("a.example/app", {}, { own: ["http://m.example"] })).rejects.toThrow(
    'the mirrors set for a.example: "http://m.example" is not host[:port][/path]',
  );
});
