import { readFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copier } from "../src/graph/copy.ts";
import { digestOf, type Digest } from "../src/oci/digest.ts";
import { formatPlatform, hostPlatform } from "../src/oci/platform.ts";
import type { Manifest } from "../src/oci/manifest.ts";
import {
  dirStore,
  dockerArchiveStore,
  layoutStore,
  memoryStore,
  ociArchiveStore,
  soleReference,
  type LocalStore,
  type Store,
} from "../src/store/index.ts";
import * as images from "../test/support/images.ts";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { must } from "./support/run.ts";

const platforms = ["linux/amd64", "linux/arm64"];
const ociKinds = [
  { kind: "an OCI image", tag: "oci", options: {} },
  { kind: "an OCI index", tag: "oci-index", options: { platforms } },
];
const dockerKinds = [
  { kind: "a Docker image", tag: "docker", options: { docker: true } },
  { kind: "a Docker list", tag: "docker-list", options: { docker: true, platforms } },
];
const kinds = [...ociKinds, ...dockerKinds];

let work: string;
let layout: string;
let clients: Clients;
const made = new Map<string, MadeImage>();

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-formats-"));
  layout = join(work, "layout");
  clients = await openClients(join(work, "home"));
  for (const { tag, options } of kinds) made.set(tag, await makeImage(layout, { ...options, tag, seed: tag }));
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

let counter = 0;
const fresh = (): string => join(work, `out-${(counter += 1)}`);
const rootOf = (tag: string): string => made.get(tag)!.root.digest;

/** Copies with everything, flushes and closes: what Gantry itself does. */
async function copy(from: Store, ref: string, to: Store, tag?: string): Promise<string> {
  for (const outcome of await copier(from, [{ store: to }]).copy(ref, tag)) {
    if ("error" in outcome) throw outcome.error;
  }
  await to.flush();
  const { digest } = (await from.head(ref))!;
  await to.close();
  await from.close();
  return digest;
}

/** Reads all there is of a location's only image, so that every byte is checked, and says which one it is. */
async function readAll(from: LocalStore, ref?: string): Promise<Manifest> {
  const name = ref ?? (await soleReference(from));
  const memory = memoryStore();
  const found = (await from.manifest(name))!;
  await copy(from, name, memory, "read");
  return found;
}

/** The image of an index that is the one for this machine, as `docker load` is to find it. */
async function imageHere(tag: string): Promise<{ readonly config: string; readonly layers: number }> {
  const { manifests } = made.get(tag)!;
  const here = manifests.find(({ platform }) => formatPlatform(platform as never) === formatPlatform(hostPlatform()));
  const path = join(layout, "blobs", (here ?? manifests[0]!).digest.replace(":", "/"));
  const { config, layers } = JSON.parse(await readFile(path, "utf8"));
  return { config: config.digest, layers: layers.length };
}

describeWith("skopeo", "skopeo", () => {
  const ours = [
    { format: "oci", open: (path: string) => layoutStore(path), kinds: ociKinds }, // It cannot read Docker's manifests there.
    { format: "oci-archive", open: (path: string) => ociArchiveStore(path), kinds: ociKinds },
    { format: "dir", open: (path: string) => dirStore(path), kinds },
  ].flatMap(({ kinds, ...format }) => kinds.map((kind) => ({ ...format, ...kind })));

  test.each(ours)("reads $kind from our $format", async ({ format, open, tag }) => {
    const [path, out] = [fresh(), fresh()];
    await copy(layoutStore(layout), tag, open(path), "v1");
    const name = format === "dir" ? `dir:${path}` : `${format}:${path}:v1`;
    await must(clients.skopeo("copy", "--all", "--preserve-digests", name, `dir:${out}`));
    expect(digestOf(await readFile(join(out, "manifest.json")))).toBe(rootOf(tag));
    expect((await readAll(dirStore(out))).descriptor.digest).toBe(rootOf(tag));
  });

  test.each(ours)("writes $kind to $format, which we read", async ({ format, open, tag }) => {
    const [source, path] = [fresh(), fresh()];
    await copy(layoutStore(layout), tag, dirStore(source));
    const name = format === "dir" ? `dir:${path}` : `${format}:${path}:some/name:v1`;
    await must(clients.skopeo("copy", "--all", "--preserve-digests", `dir:${source}`, name));
    expect((await readAll(open(path))).descriptor.digest).toBe(rootOf(tag));
    if (format !== "dir") expect((await readAll(open(path), "some/name:v1")).descriptor.digest).toBe(rootOf(tag));
  });

  test.each(kinds)("reads $kind from our docker-archive", async ({ tag }) => {
    const [path, out] = [fresh(), fresh()];
    await copy(layoutStore(layout), tag, dockerArchiveStore(path), "example.test/team/app:v1");
    await must(clients.skopeo("copy", `docker-archive:${path}:example.test/team/app:v1`, `dir:${out}`));
    const { config, blobs } = await readAll(dirStore(out));
    expect({ config: config?.digest, layers: blobs.length - 1 }).toEqual(await imageHere(tag));
  });

  test.each([
    { format: "oci-archive", open: ociArchiveStore, tag: "oci", theirs: "example.test/theirs:v1" },
    { format: "docker-archive", open: dockerArchiveStore, tag: "docker", theirs: "example.test/theirs:v1" },
  ])("reads from an $format of its own what it wrote and what we added", async ({ format, open, tag, theirs }) => {
    const [source, path] = [fresh(), fresh()];
    await copy(layoutStore(layout), tag, dirStore(source));
    await must(clients.skopeo("copy", `dir:${source}`, `${format}:${path}:${theirs}`));
    await copy(layoutStore(layout), "oci-index", open(path), "example.test/ours:v1");
    for (const [name, of] of [
      [theirs, tag],
      ["example.test/ours:v1", "oci-index"],
    ] as const) {
      const out = fresh();
      await must(clients.skopeo("copy", `${format}:${path}:${name}`, `dir:${out}`));
      expect((await readAll(dirStore(out))).config?.digest).toBe((await imageHere(of)).config);
    }
  });

  test("writes a docker-archive, which we read under its name", async () => {
    const [source, path] = [fresh(), fresh()];
    await copy(layoutStore(layout), "docker", dirStore(source));
    await must(clients.skopeo("copy", `dir:${source}`, `docker-archive:${path}:busybox:v1`));
    for (const ref of ["busybox:v1", "docker.io/library/busybox:v1", "@0", undefined]) {
      const { config, blobs } = await readAll(dockerArchiveStore(path), ref);
      expect({ config: config?.digest, layers: blobs.length - 1 }).toEqual(await imageHere("docker"));
    }
  });
});

describeWith("podman", "podman", () => {
  test.each(kinds)("loads $kind from our docker-archive", async ({ tag }) => {
    const path = fresh();
    await copy(layoutStore(layout), tag, dockerArchiveStore(path), `example.test/podman/${tag}:v1`);
    await must(clients.podman("load", "--quiet", "--input", path));
    const id = await must(clients.podman("image", "inspect", "--format", "{{.Id}}", `example.test/podman/${tag}:v1`));
    expect(`sha256:${id}`).toBe((await imageHere(tag)).config);
  });

  test.each(["docker-archive", "oci-archive"])("saves a %s, which we read", async (format) => {
    const [source, path] = [fresh(), fresh()];
    await copy(layoutStore(layout), "docker", dockerArchiveStore(source), `example.test/podman/${format}:v1`);
    await must(clients.podman("load", "--quiet", "--input", source));
    await must(
      clients.podman("save", "--quiet", "--format", format, "--output", path, `example.test/podman/${format}:v1`),
    );
    const { config } = await readAll(format === "oci-archive" ? ociArchiveStore(path) : dockerArchiveStore(path));
    const saved = (await imageHere("docker")).config;
    if (format === "docker-archive") expect(config?.digest).toBe(saved);
    else expect(config).toBeDefined();
  });
});

describeWith("crane", "crane", () => {
  test.each(kinds)("finds $kind in our docker-archive whole", async ({ tag }) => {
    const path = fresh();
    await copy(layoutStore(layout), tag, dockerArchiveStore(path), "example.test/app:v1");
    await must(clients.crane("validate", "--tarball", path));
  });
});

describeWith("regctl", "regctl", () => {
  test.each(kinds)("copies $kind from our layout and back", async ({ tag }) => {
    const [path, out] = [fresh(), fresh()];
    await copy(layoutStore(layout), tag, layoutStore(path), "v1");
    await must(clients.regctl("image", "copy", `ocidir://${path}:v1`, `ocidir://${out}:v2`));
    expect((await readAll(layoutStore(out), "v2")).descriptor.digest).toBe(rootOf(tag));
  });

  test.each(kinds)("exports $kind, which we read as either archive", async ({ tag }) => {
    const path = fresh();
    await must(clients.regctl("image", "export", `ocidir://${layout}:${tag}`, path));
    expect((await readAll(ociArchiveStore(path))).descriptor.digest).toBe(rootOf(tag));
    expect((await readAll(dockerArchiveStore(path))).descriptor.digest).toBe(rootOf(tag));
  });

  test.each(kinds)("imports $kind from our archives", async ({ tag }) => {
    for (const open of [ociArchiveStore, dockerArchiveStore]) {
      const [path, out] = [fresh(), fresh()];
      await copy(layoutStore(layout), tag, open(path), open === ociArchiveStore ? "v1" : "example.test/app:v1");
      await must(clients.regctl("image", "import", `ocidir://${out}:v1`, path));
      expect((await readAll(layoutStore(out), "v1")).descriptor.digest).toBe(rootOf(tag));
    }
  });

  test("and we see each other's referrers in a layout", async () => {
    const path = fresh();
    await copy(layoutStore(layout), "oci", layoutStore(path), "v1");
    const subject = (await layoutStore(path).head("v1"))!;
    const artifact = [
      "artifact",
      "put",
      "--subject",
      `ocidir://${path}:v1`,
      "--artifact-type",
      "application/vnd.example.theirs",
    ];
    await must(clients.regctl(...artifact, "--file", join(layout, "oci-layout")));
    expect(await referrerTypes(path, subject.digest)).toEqual(["application/vnd.example.theirs"]);
  });
});

describeWith("oras", "oras", () => {
  test.each(kinds)("copies $kind from our layout and back", async ({ tag }) => {
    const [path, out] = [fresh(), fresh()];
    await copy(layoutStore(layout), tag, layoutStore(path), "v1");
    await must(clients.oras("copy", "--from-oci-layout", `${path}:v1`, "--to-oci-layout", `${out}:v2`));
    expect((await readAll(layoutStore(out), "v2")).descriptor.digest).toBe(rootOf(tag));
  });

  test("and we see each other's referrers in a layout", async () => {
    const path = fresh();
    await copy(layoutStore(layout), "oci", layoutStore(path), "v1");
    const store = layoutStore(path);
    const subject = (await store.head("v1"))!;
    await images.putImage(store, images.artifact("ours", subject, { type: "application/vnd.example.ours" }));
    const theirs = join(layout, "oci-layout");
    const attach = [
      "attach",
      "--oci-layout",
      "--disable-path-validation",
      "--artifact-type",
      "application/vnd.example.theirs",
    ];
    await must(clients.oras(...attach, `${path}:v1`, theirs));
    const types = ["application/vnd.example.ours", "application/vnd.example.theirs"];
    expect(await referrerTypes(path, subject.digest)).toEqual(types);
    const found = await must(clients.oras("discover", "--oci-layout", "--format", "json", `${path}:v1`));
    for (const type of types) expect(found).toContain(type);
  });
});

describe("our own formats", () => {
  test.each(kinds)("carry $kind from one to the next unchanged", async ({ tag }) => {
    const stores = [layoutStore, ociArchiveStore, dockerArchiveStore, dirStore, layoutStore];
    let from = layoutStore(layout);
    let ref = tag;
    for (const open of stores) {
      const path = fresh();
      const name = open === dockerArchiveStore ? "example.test/app:v1" : "v1";
      expect(await copy(from, ref, open(path), name)).toBe(rootOf(tag));
      from = open(path);
      ref = await soleReference(from);
    }
    expect((await readAll(from)).descriptor.digest).toBe(rootOf(tag));
  });
});

async function referrerTypes(path: string, subject: Digest): Promise<readonly (string | undefined)[]> {
  const types: (string | undefined)[] = [];
  for await (const { artifactType } of layoutStore(path).referrers(subject)) types.push(artifactType);
  return types.toSorted((a, b) => ((a ?? "") < (b ?? "") ? -1 : 1));
}
