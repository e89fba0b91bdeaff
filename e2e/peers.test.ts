import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { digestAt, pushImage } from "./support/push.ts";
import { type RunningRegistry, startDockerRegistry } from "./support/registries.ts";
import { must } from "./support/run.ts";

// No Gantry in here: this shows that the ground holds, so that a failure elsewhere in e2e/ is Gantry's own.
const platforms = ["linux/amd64", "linux/arm64/v8"];
const cases = [
  { name: "an OCI image", tag: "oci", options: { tag: "oci" } },
  { name: "an OCI index", tag: "oci-index", options: { tag: "oci-index", platforms, layerSize: 300_000 } },
  { name: "a Docker image", tag: "docker", options: { tag: "docker", docker: true } },
  { name: "a Docker list", tag: "docker-list", options: { tag: "docker-list", docker: true, platforms, layers: 3 } },
];

describeWith("docker-registry", "peers move images through docker-registry", () => {
  let work: string;
  let layout: string;
  let registry: RunningRegistry;
  let clients: Clients;
  const made = new Map<string, MadeImage>();

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-"));
    layout = join(work, "layout");
    clients = await openClients(join(work, "home"));
    registry = await startDockerRegistry();
    for (const { tag, options } of cases) {
      const image = await makeImage(layout, options);
      made.set(tag, image);
      await pushImage(layout, image, at(tag));
    }
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(work, { recursive: true, force: true });
  });

  const rootOf = (tag: string): string => imageOf(tag).root.digest;
  const at = (tag: string, repository = "ground"): string => `${registry.host}/${repository}:${tag}`;
  const imageOf = (tag: string): MadeImage => {
    const image = made.get(tag);
    if (image === undefined) throw new Error(`nothing was made for ${tag}`);
    return image;
  };

  test.each(cases)("$name lies there unchanged", async ({ tag }) => {
    expect(await digestAt(at(tag), imageOf(tag))).toBe(rootOf(tag));
  });

  describeWith("skopeo", "skopeo", () => {
    const copy = ["copy", "--all", "--preserve-digests"];

    test.each(cases)("copies $name", async ({ tag }) => {
      await must(clients.skopeo(...copy, `docker://${at(tag)}`, `docker://${at(tag, "skopeo")}`));
      expect(await digestAt(at(tag, "skopeo"), imageOf(tag))).toBe(rootOf(tag));
      const raw = await clients.skopeo("inspect", "--raw", `docker://${at(tag)}`);
      expect(raw.bytes.length).toBe(imageOf(tag).root.size);
    });

    // Its `oci:` overlooks Docker media types in a layout.
    test.each(cases.filter(({ options }) => !("docker" in options)))("reads $name from a layout", async ({ tag }) => {
      await must(clients.skopeo(...copy, `oci:${layout}:${tag}`, `docker://${at(tag, "skopeo-oci")}`));
      expect(await digestAt(at(tag, "skopeo-oci"), imageOf(tag))).toBe(rootOf(tag));
    });
  });

  describeWith("crane", "crane", () => {
    test.each(cases)("copies $name", async ({ tag }) => {
      expect(await must(clients.crane("digest", at(tag)))).toBe(rootOf(tag));
      await must(clients.crane("copy", at(tag), at(tag, "crane")));
      expect(await digestAt(at(tag, "crane"), imageOf(tag))).toBe(rootOf(tag));
      await must(clients.crane("validate", "--remote", at(tag)));
    });
  });

  describeWith("regctl", "regctl", () => {
    test.each(cases)("copies $name", async ({ tag }) => {
      expect(await must(clients.regctl("image", "digest", at(tag)))).toBe(rootOf(tag));
      await must(clients.regctl("image", "copy", at(tag), `ocidir://${work}/regctl:${tag}`));
      await must(clients.regctl("image", "copy", `ocidir://${work}/regctl:${tag}`, at(tag, "regctl")));
      expect(await digestAt(at(tag, "regctl"), imageOf(tag))).toBe(rootOf(tag));
    });
  });

  describeWith("oras", "oras", () => {
    test.each(cases)("copies $name", async ({ tag }) => {
      expect(await must(clients.oras("resolve", at(tag)))).toBe(rootOf(tag));
      await must(clients.oras("copy", "--to-oci-layout", at(tag), `${work}/oras:${tag}`));
      await must(clients.oras("copy", "--from-oci-layout", `${work}/oras:${tag}`, at(tag, "oras")));
      expect(await digestAt(at(tag, "oras"), imageOf(tag))).toBe(rootOf(tag));
    });
  });

  // Engines keep layers unpacked and pack them anew: what stays is the config, which is the image's id.
  describeWith(["podman", "crane"], "podman", () => {
    test.each(cases)("pulls and pushes $name", async ({ tag }) => {
      const id = await must(clients.podman("pull", "--quiet", at(tag)));
      expect(imageOf(tag).blobs.map(({ digest }) => digest)).toContain(`sha256:${id}`);
      await must(clients.podman("push", "--quiet", id, at(tag, "podman")));
      expect(await must(clients.crane("manifest", at(tag, "podman")))).toContain(id);
    });
  });

  describeWith(["buildah", "crane"], "buildah", () => {
    test.each(cases)("pulls and pushes $name", async ({ tag }) => {
      const id = await must(clients.buildah("pull", "--quiet", at(tag)));
      expect(imageOf(tag).blobs.map(({ digest }) => digest)).toContain(`sha256:${id}`);
      await must(clients.buildah("push", "--quiet", id, `docker://${at(tag, "buildah")}`));
      expect(await must(clients.crane("manifest", at(tag, "buildah")))).toContain(id);
    });
  });
});

describeWith("docker-registry", "a registry with htpasswd", () => {
  let work: string;
  let registry: RunningRegistry;
  let clients: Clients;
  const password = "correct horse";

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-"));
    await makeImage(join(work, "layout"));
    registry = await startDockerRegistry({ htpasswd: { ann: password } });
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(work, { recursive: true, force: true });
  });

  const logins = [
    { name: "skopeo", login: ["login"], push: ["copy", "oci:LAYOUT:latest", "docker://HOST/a:skopeo"] },
    { name: "podman", login: ["login"], push: ["pull", "HOST/a:skopeo"] },
    { name: "buildah", login: ["login"], push: ["pull", "HOST/a:skopeo"] },
    { name: "crane", login: ["auth", "login"], push: ["push", "LAYOUT", "HOST/a:crane"] },
    { name: "regctl", login: ["registry", "login"], push: ["image", "copy", "ocidir://LAYOUT", "HOST/a:regctl"] },
    { name: "oras", login: ["login"], push: ["copy", "--from-oci-layout", "LAYOUT:latest", "HOST/a:oras"] },
  ] as const;
  for (const { name, login, push } of logins) {
    describeWith(name, name, () => {
      test("is refused, logs in, and is let in", async () => {
        clients = await openClients(join(work, name));
        const fill = (arg: string): string =>
          arg.replace("LAYOUT", join(work, "layout")).replace("HOST", registry.host);
        const refused = await clients[name](...push.map(fill));
        expect(refused.code).not.toBe(0);
        expect(refused.stderr).toMatch(/unauthorized|authentication required|credential not found/i);
        await must(clients[name](...login, "-u", "ann", "-p", password, registry.host));
        await must(clients[name](...push.map(fill)));
      });
    });
  }
});
