import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith, peer } from "./support/peers.ts";
import { digestAt, pushImage } from "./support/push.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { must, run } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// What others wrote pushes to and pulls from `gantry serve`; nothing else of Gantry is in here.
const platforms = ["linux/amd64", "linux/arm64/v8"];
const kinds = [
  { kind: "an OCI image", tag: "oci", options: {} },
  { kind: "an OCI index", tag: "oci-index", options: { platforms, layerSize: 300_000 } },
  { kind: "a Docker image", tag: "docker", options: { docker: true } },
  { kind: "a Docker list", tag: "docker-list", options: { docker: true, platforms, layers: 3 } },
];
type Kind = (typeof kinds)[number];

let work: string;
let registry: RunningRegistry;
let clients: Clients;
const made = new Map<string, MadeImage>();

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-clients-"));
  clients = await openClients(join(work, "home"));
  registry = await startGantryRegistry({ args: ["--verbose"] });
  for (const { tag, options } of kinds) {
    const image = await makeImage(join(work, "layout"), { ...options, tag, seed: tag });
    made.set(tag, image);
    await pushImage(join(work, "layout"), image, at(tag));
  }
});
afterAll(async () => {
  await registry?.stop();
  await rm(work, { recursive: true, force: true });
});

const at = (tag: string, repository = "source"): string => `${registry.host}/${repository}:${tag}`;
const imageOf = (tag: string): MadeImage => made.get(tag)!;
const lines = (text: string): readonly string[] => text.split("\n").filter(Boolean);
/** Lines of the registry's log from now on. */
function logged(): () => readonly string[] {
  const before = registry.log().length;
  return () => lines(registry.log().slice(before));
}

/** A manifest, whatever it is. */
interface Served {
  readonly mediaType: string;
  readonly config: { readonly digest: string };
  readonly manifests: readonly { readonly digest: string }[];
}
async function served(repository: string, reference: string): Promise<Served> {
  const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/${reference}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Served;
}
const digests = ({ manifests }: Pick<Served, "manifests">): readonly string[] =>
  manifests.map(({ digest }) => digest).toSorted();

async function expectThere({ tag }: Kind, repository: string): Promise<void> {
  expect(await digestAt(at(tag, repository), imageOf(tag))).toBe(imageOf(tag).root.digest);
  expect(await faultsOf(`${registry.host}/${repository}`, imageOf(tag))).toEqual([]);
}

/** Clients that leave every byte as it is. FROM and TO are references, DIR is where the image lies in between. */
const exact = [
  {
    name: "skopeo",
    pull: ["copy", "--all", "--preserve-digests", "docker://FROM", "dir:DIR"],
    push: ["copy", "--all", "--preserve-digests", "dir:DIR", "docker://TO"],
    across: ["copy", "--all", "--preserve-digests", "docker://FROM", "docker://TO"],
  },
  {
    name: "crane",
    pull: ["pull", "--format", "oci", "FROM", "DIR"],
    push: ["push", "DIR", "TO"],
    across: ["copy", "FROM", "TO"],
  },
  {
    name: "regctl",
    pull: ["image", "copy", "FROM", "ocidir://DIR:v1"],
    push: ["image", "copy", "ocidir://DIR:v1", "TO"],
    across: ["image", "copy", "FROM", "TO"],
  },
  {
    name: "oras",
    pull: ["copy", "--to-oci-layout", "FROM", "DIR:v1"],
    push: ["copy", "--from-oci-layout", "DIR:v1", "TO"],
    across: ["copy", "FROM", "TO"],
  },
] as const;

for (const { name, pull, push, across } of exact) {
  describeWith(name, name, () => {
    const filled = (args: readonly string[], tag: string, repository: string): Promise<string> => {
      const words: Record<string, string> = {
        FROM: at(tag),
        TO: at(tag, repository),
        DIR: join(work, `${name}-${tag}`),
      };
      return must(clients[name](...args.map((arg) => arg.replace(/FROM|TO|DIR/, (word) => words[word]!))));
    };

    test.each(kinds)("pulls $kind and pushes it", async (kind) => {
      await filled(pull, kind.tag, name);
      await filled(push, kind.tag, name);
      await expectThere(kind, name);
    });

    test.each(kinds)("copies $kind inside the registry", async (kind) => {
      const log = logged();
      await filled(across, kind.tag, `${name}/across`);
      await expectThere(kind, `${name}/across`);
      // skopeo mounts only what it remembers to have seen.
      if (name === "skopeo") return;
      const mounts = log().filter((line) => /POST .*[?&]mount=.* 201 /.test(line));
      expect(mounts.length).toBe(imageOf(kind.tag).blobs.length);
    });
  });
}

// Engines keep layers unpacked and pack them anew: what stays is the config, which is the image's id.
for (const { name, to } of [
  { name: "podman", to: "" },
  { name: "buildah", to: "docker://" },
] as const) {
  describeWith(name, name, () => {
    test.each(kinds)("pulls and pushes $kind", async ({ tag }) => {
      const id = await must(clients[name]("pull", "--quiet", at(tag)));
      expect(imageOf(tag).blobs.map(({ digest }) => digest)).toContain(`sha256:${id}`);
      await must(clients[name]("push", "--quiet", id, `${to}${at(tag, name)}`));
      expect(await served(name, tag)).toMatchObject({
        config: { digest: `sha256:${id}` },
      });
      expect(await must(clients[name]("pull", "--quiet", at(tag, name)))).toBe(id);
    });

    test("makes a list of the platforms' images, which stay as they are", async () => {
      const { manifests } = imageOf("oci-index");
      await must(clients[name]("manifest", "create", "both"));
      await must(clients[name]("manifest", "add", "--all", "both", `docker://${at("oci-index")}`));
      await must(clients[name]("manifest", "push", "--all", "both", `docker://${at("list", name)}`));
      const list = await served(name, "list");
      expect(digests(list)).toEqual(digests(imageOf("oci-index")));
      expect(await faultsOf(`${registry.host}/${name}`, { ...imageOf("oci-index"), root: manifests[0]! })).toEqual([]);
    });
  });
}

describeWith("docker", "docker, without an engine", () => {
  test("looks into a list, and makes another of its images in another repository", async () => {
    const { root, manifests } = imageOf("docker-list");
    const docker = (...args: readonly string[]): Promise<string> =>
      must(run(peer("docker")!.path, ["--config", join(work, "docker"), "manifest", ...args]));
    const seen = JSON.parse(await docker("inspect", "--insecure", at("docker-list")));
    expect(digests(seen)).toEqual(digests({ manifests }));
    const images = manifests.map(({ digest }) => `${registry.host}/source@${digest}`);
    await docker("create", "--insecure", at("list", "docker"), ...images);
    await docker("push", "--insecure", at("list", "docker"));
    const list = await served("docker", "list");
    expect(list.mediaType).toBe(root.mediaType);
    expect(digests(list)).toEqual(digests({ manifests }));
    expect(await faultsOf(`${registry.host}/docker`, { ...imageOf("docker-list"), root: manifests[0]! })).toEqual([]);
  });
});
