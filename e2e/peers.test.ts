import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
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

describeWith(["docker-registry", "skopeo"], "peers move images through docker-registry", () => {
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
      made.set(tag, await makeImage(layout, options));
      const to = `docker://${registry.host}/ground:${tag}`;
      await must(clients.skopeo("copy", "--all", "--preserve-digests", `oci:${layout}:${tag}`, to));
    }
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(work, { recursive: true, force: true });
  });

  const rootOf = (tag: string): string => made.get(tag)?.root.digest ?? "nothing was made";
  const at = (tag: string): string => `${registry.host}/ground:${tag}`;
  /** Where a client writes what it got, and what the registry then has under that tag. */
  const digestAt = async (reference: string): Promise<string | null> => {
    const [host, name, tag] = reference.split(/\/|:(?=[^:/]*$)/);
    const accept = [...made.values()].map(({ root }) => root.mediaType).join(", ");
    const answer = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, { method: "HEAD", headers: { accept } });
    return answer.headers.get("docker-content-digest");
  };

  test.each(cases)("skopeo pushed $name unchanged", async ({ tag }) => {
    expect(await digestAt(at(tag))).toBe(rootOf(tag));
    const raw = await clients.skopeo("inspect", "--raw", `docker://${at(tag)}`);
    expect(raw.bytes.length).toBe(made.get(tag)?.root.size);
  });

  describeWith("crane", "crane", () => {
    test.each(cases)("copies $name", async ({ tag }) => {
      expect(await must(clients.crane("digest", at(tag)))).toBe(rootOf(tag));
      await must(clients.crane("copy", at(tag), `${registry.host}/crane:${tag}`));
      expect(await digestAt(`${registry.host}/crane:${tag}`)).toBe(rootOf(tag));
      await must(clients.crane("validate", "--remote", at(tag)));
    });
  });

  describeWith("regctl", "regctl", () => {
    test.each(cases)("copies $name", async ({ tag }) => {
      expect(await must(clients.regctl("image", "digest", at(tag)))).toBe(rootOf(tag));
      await must(clients.regctl("image", "copy", at(tag), `ocidir://${work}/regctl:${tag}`));
      await must(clients.regctl("image", "copy", `ocidir://${work}/regctl:${tag}`, `${registry.host}/regctl:${tag}`));
      expect(await digestAt(`${registry.host}/regctl:${tag}`)).toBe(rootOf(tag));
    });
  });

  describeWith("oras", "oras", () => {
    test.each(cases)("copies $name", async ({ tag }) => {
      expect(await must(clients.oras("resolve", at(tag)))).toBe(rootOf(tag));
      await must(clients.oras("copy", "--to-oci-layout", at(tag), `${work}/oras:${tag}`));
      await must(clients.oras("copy", "--from-oci-layout", `${work}/oras:${tag}`, `${registry.host}/oras:${tag}`));
      expect(await digestAt(`${registry.host}/oras:${tag}`)).toBe(rootOf(tag));
    });
  });

  // Engines keep layers unpacked and pack them anew: what stays is the config, which is the image's id.
  describeWith(["podman", "crane"], "podman", () => {
    test.each(cases)("pulls and pushes $name", async ({ tag }) => {
      const id = await must(clients.podman("pull", "--quiet", at(tag)));
      expect(made.get(tag)?.blobs.map(({ digest }) => digest)).toContain(`sha256:${id}`);
      await must(clients.podman("push", "--quiet", id, `${registry.host}/podman:${tag}`));
      expect(await must(clients.crane("manifest", `${registry.host}/podman:${tag}`))).toContain(id);
    });
  });

  describeWith(["buildah", "crane"], "buildah", () => {
    test.each(cases)("pulls and pushes $name", async ({ tag }) => {
      const id = await must(clients.buildah("pull", "--quiet", at(tag)));
      expect(made.get(tag)?.blobs.map(({ digest }) => digest)).toContain(`sha256:${id}`);
      await must(clients.buildah("push", "--quiet", id, `docker://${registry.host}/buildah:${tag}`));
      expect(await must(clients.crane("manifest", `${registry.host}/buildah:${tag}`))).toContain(id);
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
        const fill = (arg: string): string => arg.replace("LAYOUT", join(work, "layout")).replace("HOST", registry.host);
        expect((await clients[name](...push.map(fill))).code).not.toBe(0);
        await must(clients[name](...login, registry.host, "-u", "ann", "-p", password));
        await must(clients[name](...push.map(fill)));
      });
    });
  }
});
