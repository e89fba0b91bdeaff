import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, must } from "./support/run.ts";

// What regctl, oras and Cosign's tags attach goes along: by tags that stand for lists where the registry has no referrers API.
const names = ["docker", "gantry"] as const;
const typeOf = (name: string): string => `application/vnd.example.${name}`;

let work: string;
let clients: Clients;
let image: MadeImage;
let registries: Readonly<Record<(typeof names)[number], RunningRegistry>>;

describeWith(["docker-registry", "regctl", "oras"], "what is attached", () => {
  const source = (name: (typeof names)[number]): string => `${registries[name].host}/source`;
  const signature = (): string => `${image.root.digest.replace(":", "-")}.sig`;
  const fallbackTags = (): readonly string[] =>
    [image.root, image.manifests[0]!].map(({ digest }) => digest.replace(":", "-")).toSorted();

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-attached-"));
    clients = await openClients(join(work, "home"));
    image = await makeImage(join(work, "layout"), { platforms: ["linux/amd64", "linux/arm64"] });
    const [docker, gantry] = await Promise.all([startDockerRegistry(), startGantryRegistry()]);
    registries = { docker, gantry };
    await writeFile(join(work, "note.txt"), "a note");
    for (const name of names) await attachAll(source(name));
  });
  afterAll(async () => {
    await Promise.all(Object.values(registries ?? {}).map((registry) => registry.stop()));
    await rm(work, { recursive: true, force: true });
  });

  /** An index with something by regctl, one of its images with something by oras, on which hangs more; and a signature's tag. */
  async function attachAll(place: string): Promise<void> {
    const file = join(work, "note.txt");
    const oras = async (subject: string, type: string): Promise<string> => {
      const flags = ["--disable-path-validation", "--artifact-type", type, "--annotation", "made.by=oras"];
      const text = await must(clients.oras("attach", ...flags, "--format", "json", subject, file));
      return JSON.parse(text).digest;
    };
    await pushImage(join(work, "layout"), image, `${place}:v1`);
    const put = ["artifact", "put", "--subject", `${place}:v1`, "--artifact-type", typeOf("regctl"), "--file", file];
    await must(clients.regctl(...put));
    const first = await oras(`${place}@${image.manifests[0]!.digest}`, typeOf("oras"));
    await oras(`${place}@${first}`, typeOf("on-top"));
    await must(clients.oras("push", "--disable-path-validation", `${place}:${signature()}`, file));
  }

  async function expectAll(place: string): Promise<void> {
    const tree = await must(clients.regctl("artifact", "tree", "--digest-tags", `${place}:v1`));
    for (const name of ["regctl", "oras", "on-top"]) expect(tree).toContain(typeOf(name));
    expect(tree).toContain(signature());
    const found = JSON.parse(
      await must(clients.oras("discover", "--format", "json", `${place}@${image.manifests[0]!.digest}`)),
    );
    const [direct] = found.manifests ?? found.referrers;
    expect(direct).toMatchObject({ artifactType: typeOf("oras"), annotations: { "made.by": "oras" } });
    const args = ["artifact", "get", "--subject", `${place}:v1`, "--filter-artifact-type", typeOf("regctl")];
    expect(await must(clients.regctl(...args))).toBe("a note");
  }

  const pairs = names.flatMap((from) => names.map((to) => ({ from, to })));
  describe.each(pairs)("from $from to $to", ({ from, to }) => {
    const place = (): string => `${registries[to].host}/from-${from}`;

    test("goes along with the image, on every level", async () => {
      const text = await must(gantry("copy", "--format", "json", `${source(from)}:v1`, place()));
      expect(JSON.parse(text).images).toMatchObject([{ digest: image.root.digest, referrers: 3, digestTags: 1 }]);
      await expectAll(place());
      await must(gantry("check", "--deep", `${place()}:v1`));
    });

    test("is listed by tags only where the registry has no list of its own", async () => {
      const tags = (await must(gantry("ls", place()))).split("\n").filter((tag) => tag !== "v1" && tag !== signature());
      const needed = to === "docker" ? fallbackTags() : [];
      expect(tags.filter((tag) => fallbackTags().includes(tag)).toSorted()).toEqual(needed);
      if (to === "gantry") expect(tags).toEqual([]);
    });

    test("stays behind with --no-referrers", async () => {
      await must(gantry("copy", "--no-referrers", `${source(from)}:v1`, `${place()}/bare`));
      expect(await must(gantry("ls", `${place()}/bare`))).toBe("v1");
      const tree = await must(clients.regctl("artifact", "tree", `${place()}/bare:v1`));
      expect(tree).not.toContain("application/vnd.example");
    });

    test("is added to what the destination has attached already", async () => {
      const there = `${place()}/merged`;
      await pushImage(join(work, "layout"), image, `${there}:v1`);
      await must(gantry("artifact", "attach", "--type", typeOf("before"), `${there}:v1`, join(work, "note.txt")));
      await must(gantry("copy", "--all-tags", source(from), there));
      await expectAll(there);
      const list = await must(clients.regctl("artifact", "list", `${there}:v1`));
      for (const name of ["before", "regctl"]) expect(list).toContain(typeOf(name));
    });
  });

  test("survives the way through an archive", async () => {
    const archive = join(work, "all.tar");
    await must(gantry("copy", `${source("docker")}:v1`, `oci-archive:${archive}:v1`));
    await must(gantry("copy", `oci-archive:${archive}:v1`, `${registries.gantry.host}/unpacked:v1`));
    await expectAll(`${registries.gantry.host}/unpacked`);
  });

  test("is fetched file by file", async () => {
    const args = ["--format", "json", "--type", typeOf("regctl"), "-o", join(work, "fetched")];
    const text = await must(gantry("artifact", "get", ...args, `${source("docker")}:v1`));
    const { files } = JSON.parse(text);
    expect(files).toHaveLength(1);
    expect(await readFile(files[0].path, "utf8")).toBe("a note");
  });
});
