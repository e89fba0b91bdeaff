import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { must } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// What others wrote lists, attaches, deletes and fetches at `gantry serve`; nothing else of Gantry is in here.
let work: string;
let layout: string;
let registry: RunningRegistry;
let clients: Clients;
/** Two images, to be told apart. */
let one: MadeImage;
let two: MadeImage;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-clients-"));
  layout = join(work, "layout");
  clients = await openClients(join(work, "home"));
  registry = await startGantryRegistry();
  one = await makeImage(layout, { tag: "one", seed: "one" });
  two = await makeImage(layout, { tag: "two", seed: "two", docker: true });
});
afterAll(async () => {
  await registry?.stop();
  await rm(work, { recursive: true, force: true });
});

const at = (repository: string, tag: string): string => `${registry.host}/${repository}:${tag}`;
const lines = (text: string): readonly string[] => text.split("\n").filter(Boolean);
const get = (path: string): Promise<Response> => fetch(`http://${registry.host}/v2/${path}`);

/** A list of tags, or an index of referrers. */
interface Listing {
  readonly tags: readonly string[];
  readonly manifests: readonly { readonly digest: string }[];
}
async function listing(path: string): Promise<Listing> {
  return (await (await get(path)).json()) as Listing;
}

describe("lists", () => {
  const place = (): string => `${registry.host}/lists/many`;
  const tags = Array.from({ length: 25 }, (_, i) => `v${String(i).padStart(2, "0")}`);

  beforeAll(async () => {
    for (const tag of tags) await pushImage(layout, one, at("lists/many", tag));
    await pushImage(layout, two, at("lists/few", "v1"));
  });

  const tagListers = [
    { name: "skopeo", args: ["list-tags", "docker://PLACE"] },
    {
      name: "podman",
      args: ["search", "--tls-verify=false", "--list-tags", "--limit=100", "--format={{.Tag}}", "PLACE"],
    },
    { name: "crane", args: ["ls", "PLACE"] },
    { name: "regctl", args: ["tag", "ls", "PLACE"] },
    { name: "oras", args: ["repo", "tags", "PLACE"] },
  ] as const;
  for (const { name, args } of tagListers) {
    describeWith(name, name, () => {
      test("lists every tag", async () => {
        const text = await must(clients[name](...args.map((arg) => arg.replace("PLACE", place()))));
        expect(text.match(/\bv\d\d\b/g)).toEqual(tags);
      });
    });
  }

  const repositoryListers = [
    { name: "crane", args: ["catalog", "HOST"] },
    { name: "regctl", args: ["repo", "ls", "HOST"] },
    { name: "oras", args: ["repo", "ls", "HOST"] },
  ] as const;
  for (const { name, args } of repositoryListers) {
    describeWith(name, name, () => {
      test("lists every repository", async () => {
        const text = await must(clients[name](...args.map((arg) => arg.replace("HOST", registry.host))));
        expect(lines(text)).toEqual(expect.arrayContaining(["lists/few", "lists/many"]));
      });
    });
  }

  describeWith("regctl", "regctl, by pages", () => {
    test("goes on after the tag that it names", async () => {
      const page = await must(clients.regctl("tag", "ls", "--limit", "10", "--last", "v09", place()));
      expect(lines(page)).toEqual(tags.slice(10, 20));
    });
  });
});

describeWith(["oras", "regctl"], "what is attached", () => {
  const typeOf = (name: string): string => `application/vnd.example.${name}`;
  const subject = (): string => at("attached", "v1");
  const file = (): string => join(work, "note.txt");

  beforeAll(async () => {
    await writeFile(file(), "a note");
    await pushImage(layout, one, subject());
    await must(
      clients.oras("attach", "--disable-path-validation", "--artifact-type", typeOf("oras"), subject(), file()),
    );
    await must(
      clients.regctl("artifact", "put", "--subject", subject(), "--artifact-type", typeOf("regctl"), "--file", file()),
    );
  });

  test("by oras is seen by regctl, and the other way round", async () => {
    const found = JSON.parse(await must(clients.oras("discover", "--format", "json", subject())));
    const types = (found.manifests ?? found.referrers).map((one: { artifactType: string }) => one.artifactType);
    expect(types.toSorted()).toEqual([typeOf("oras"), typeOf("regctl")]);
    const list = JSON.parse(await must(clients.regctl("artifact", "list", "--format", "{{json .}}", subject())));
    expect(list.descriptors.map((one: { artifactType: string }) => one.artifactType).toSorted()).toEqual(
      types.toSorted(),
    );
    const tree = await must(clients.regctl("artifact", "tree", subject()));
    for (const type of types) expect(tree).toContain(type);
  });

  test("is chosen by its type", async () => {
    const list = await must(clients.regctl("artifact", "list", "--filter-artifact-type", typeOf("oras"), subject()));
    expect(list).toContain(typeOf("oras"));
    expect(list).not.toContain(typeOf("regctl"));
  });

  test("comes back", async () => {
    const text = await must(
      clients.regctl("artifact", "get", "--subject", subject(), "--filter-artifact-type", typeOf("oras")),
    );
    expect(text).toBe("a note");
  });

  test("needs no tag: the registry keeps the list of referrers itself", async () => {
    expect(await listing("attached/tags/list")).toMatchObject({ tags: ["v1"] });
  });

  test("goes along where regctl and oras copy it", async () => {
    await must(clients.regctl("image", "copy", "--referrers", subject(), at("attached/regctl", "v1")));
    await must(clients.oras("copy", "--recursive", subject(), at("attached/oras", "v1")));
    for (const repository of ["attached/regctl", "attached/oras"]) {
      const { manifests } = await listing(`${repository}/referrers/${one.root.digest}`);
      expect(manifests.length).toBe(2);
    }
  });

  test("may stand under a tag, as Cosign does it", async () => {
    const tag = `${one.root.digest.replace(":", "-")}.sig`;
    await must(clients.oras("push", "--disable-path-validation", at("attached", tag), file()));
    expect(
      await must(clients.oras("pull", "--output", join(work, "pulled"), "--allow-path-traversal", at("attached", tag))),
    ).toContain("note.txt");
    expect(await listing("attached/tags/list")).toMatchObject({ tags: [tag, "v1"] });
    await must(clients.regctl("image", "copy", "--digest-tags", subject(), at("attached/tagged", "v1")));
    expect(await listing("attached/tagged/tags/list")).toMatchObject({ tags: [tag, "v1"] });
  });
});

describe("deleting", () => {
  const repository = "deleting";
  const place = (): string => `${registry.host}/${repository}`;
  const tags = async (): Promise<readonly string[]> => (await listing(`${repository}/tags/list`)).tags;

  beforeAll(async () => {
    for (const tag of ["kept", "other"]) await pushImage(layout, two, at(repository, tag));
  });

  // Each takes the tag `gone` away, or the digest with all its tags.
  const deleters = [
    { name: "crane", by: "tag", args: ["delete", "TAG"] },
    { name: "crane", by: "digest", args: ["delete", "DIGEST"] },
    { name: "regctl", by: "tag", args: ["tag", "delete", "TAG"] },
    { name: "regctl", by: "digest", args: ["manifest", "delete", "DIGEST"] },
    { name: "oras", by: "digest", args: ["manifest", "delete", "--force", "TAG"] },
    { name: "skopeo", by: "digest", args: ["delete", "docker://TAG"] },
  ] as const;
  for (const { name, by, args } of deleters) {
    describeWith(name, name, () => {
      test(`deletes by ${by}`, async () => {
        for (const tag of ["gone", "sibling"]) await pushImage(layout, one, at(repository, tag));
        const fill = (arg: string): string =>
          arg.replace("TAG", at(repository, "gone")).replace("DIGEST", `${place()}@${one.root.digest}`);
        await must(clients[name](...args.map(fill)));
        expect(await tags()).toEqual(by === "tag" ? ["kept", "other", "sibling"] : ["kept", "other"]);
        expect(await faultsOf(place(), two)).toEqual([]);
        const { status } = await get(`${repository}/manifests/${one.root.digest}`);
        expect(status).toBe(by === "tag" ? 200 : 404);
      });
    });
  }

  describeWith("oras", "oras, a blob", () => {
    test("takes it away, and nothing else", async () => {
      await writeFile(join(work, "blob"), "a blob of its own");
      const pushed = JSON.parse(await must(clients.oras("blob", "push", "--descriptor", place(), join(work, "blob"))));
      expect((await get(`${repository}/blobs/${pushed.digest}`)).status).toBe(200);
      await must(clients.oras("blob", "delete", "--force", `${place()}@${pushed.digest}`));
      expect((await get(`${repository}/blobs/${pushed.digest}`)).status).toBe(404);
      expect(await faultsOf(place(), two)).toEqual([]);
    });
  });
});

describeWith("oras", "single blobs", () => {
  test("are pushed by oras, and fetched again", async () => {
    const path = join(work, "layout", "blobs", one.blobs[1]!.digest.replace(":", "/"));
    await must(clients.oras("blob", "push", `${registry.host}/blobs`, path));
    const name = `${registry.host}/blobs@${one.blobs[1]!.digest}`;
    await must(clients.oras("blob", "fetch", "--output", join(work, "fetched"), name));
    expect(await readFile(join(work, "fetched"))).toEqual(await readFile(path));
  });
});
