import { describe, expect, test } from "vitest";
import { knownManifests } from "../../src/graph/known.ts";
import { readInventory, type Listed } from "../../src/graph/read-inventory.ts";
import { digestOf as digestOfBytes, type Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { buildManifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { contentOf } from "../../src/oci/stream.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { remoteStore } from "../../src/store/remote/remote-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { fakeRegistry, type Behaviour } from "../support/fake-registry.ts";
import { artifact, image, nested, putImage, twoPlatforms, type TestImage } from "../support/images.ts";
import { disasters } from "./disasters.ts";

const digestOf = (one: TestImage): Digest => one.manifest.descriptor.digest;

interface Remote {
  readonly transport: Transport;
  readonly store: Store;
  /** How many requests of each kind there were since it was asked last. */
  readonly asked: () => Readonly<Record<string, number>>;
}

function remote(behaviour: Behaviour = {}): Remote {
  const registry = fakeRegistry(behaviour);
  const store = remoteStore({ transport: registry.transport, registry: "registry.example", repository: "app" });
  return {
    transport: registry.transport,
    store,
    asked: () => {
      const kinds = registry.log.splice(0).map((line) => line.replace(/\/v2\/app\/(\w+).*/, "$1"));
      return Object.fromEntries(
        [...new Set(kinds)].toSorted().map((kind) => [kind, kinds.filter((one) => one === kind).length]),
      );
    },
  };
}

async function* list(...entries: readonly Listed[]): AsyncGenerator<Listed, void> {
  yield* entries;
}

describe.each([
  ["memory", () => memoryStore()],
  ["a registry with the referrers API", () => remote().store],
  ["a registry without", () => remote({ noReferrers: 404 }).store],
])("in %s", (_, open) => {
  test.each(disasters.map((one) => [one.name, one] as const))("all is found: %s", async (_name, disaster) => {
    const store = open();
    await disaster.put(store);
    const { manifests, gaps } = await readInventory(store);
    expect(gaps).toEqual([]);
    for (const digest of [...disaster.mustStay, ...disaster.mayGo]) expect(manifests.has(digest), digest).toBe(true);
  });
});

test("a manifest is told with its tags, parts, blobs and subject", async () => {
  const { store } = remote();
  const index = twoPlatforms("a");
  const note = artifact("note", index.manifest.descriptor);
  await putImage(store, index, "1.0");
  await store.putManifest(index.manifest, { tag: "latest" });
  await putImage(store, note);
  const { manifests, tags, repository, listsUntagged } = await readInventory(store);
  expect(repository).toBe("registry.example/app");
  expect(listsUntagged).toBe(false);
  expect([...tags]).toEqual([
    ["1.0", digestOf(index)],
    ["latest", digestOf(index)],
  ]);
  expect(manifests.get(digestOf(index))).toEqual({
    digest: digestOf(index),
    mediaType: mediaTypes.ociIndex,
    size: index.manifest.descriptor.size,
    blobs: [],
    children: index.children.map(digestOf),
    platforms: ["linux/amd64", "linux/arm64"],
    tags: ["1.0", "latest"],
  });
  expect(manifests.get(digestOf(note))).toEqual({
    digest: digestOf(note),
    mediaType: mediaTypes.ociManifest,
    artifactType: "application/vnd.example.thing",
    size: note.manifest.descriptor.size,
    blobs: note.blobs.map(({ descriptor: { digest, size } }) => ({ digest, size })),
    children: [],
    subject: digestOf(index),
    tags: [],
  });
  expect([...manifests.keys()]).toEqual([...manifests.keys()].toSorted());
});

test("an image that only the tag of its signature leads to is found, with its parts and what else is attached", async () => {
  const { store, asked } = remote();
  const [index, signature, lost] = [twoPlatforms("a"), image("signature"), image("never put")];
  const note = artifact("note", index.children[0]!.manifest.descriptor);
  for (const one of [index, note]) await putImage(store, one);
  const tagFor = (one: TestImage): string => `${digestOf(one).replace(":", "-")}.sig`;
  for (const one of [index, lost]) await putImage(store, signature, tagFor(one));
  asked();
  const { manifests, gaps } = await readInventory(store);
  const there = [index, ...index.children, signature, note].map(digestOf);
  expect([...manifests.keys()]).toEqual(there.toSorted());
  expect(gaps).toEqual([]);
  // Two tags, each image that they are about, two parts and a note.
  expect(asked()).toEqual({ "GET manifests": 2 + 2 + 3, "GET referrers": 5, "GET tags": 1 });
});

describe("requests", () => {
  test("a GET for each tag and each part, then for each manifest what is attached; again, a HEAD for each tag", async () => {
    const { store, asked } = remote();
    await putImage(store, twoPlatforms("a"), "1.0");
    await putImage(store, image("b"), "0.9");
    await store.putManifest(image("b").manifest, { tag: "0.9.1" });
    asked();
    const known = knownManifests();
    const first = await readInventory(store, { known });
    expect(asked()).toEqual({ "GET manifests": 3 + 2, "GET referrers": 4, "GET tags": 1 });
    expect(await readInventory(store, { known })).toEqual(first);
    expect(asked()).toEqual({ "GET referrers": 4, "GET tags": 1, "HEAD manifests": 3 });
  });

  test("without the referrers API, one request finds that out, and tags tell the rest", async () => {
    const { transport, asked } = remote({ noReferrers: 404 });
    const open = (): Store => remoteStore({ transport, registry: "registry.example", repository: "app" });
    const store = open();
    for (const name of ["a", "b", "c"]) await putImage(store, image(name), name);
    const note = artifact("note", image("b").manifest.descriptor);
    await putImage(store, note);
    asked();
    const { manifests } = await readInventory(open());
    expect(manifests.has(digestOf(note))).toBe(true);
    // The tag of the list is read as a tag, and once more as what it lists.
    expect(asked()).toEqual({ "GET manifests": 4 + 1 + 1, "GET referrers": 1, "GET tags": 1 });
  });

  test("what a service lists with its digest is fetched once, however many tags it has", async () => {
    const { store, asked } = remote();
    const [a, b] = [image("a"), image("b")];
    await putImage(store, a, "1");
    for (const tag of ["2", "3"]) await store.putManifest(a.manifest, { tag });
    await putImage(store, b);
    asked();
    const pushed = "2026-01-02T03:04:05Z";
    const later = "2026-01-03T03:04:05Z";
    const inventory = await readInventory(store, {
      listed: list(
        { digest: digestOf(a), tags: ["1"], pushed },
        { digest: digestOf(a), tags: ["2", "3"], pushed: later, pulled: later, immutable: true },
        { digest: digestOf(b), tags: [], state: "deleted" },
      ),
      lists: "manifests",
    });
    expect(asked()).toEqual({ "GET manifests": 1 });
    expect(inventory.listsUntagged).toBe(true);
    expect(inventory.manifests.get(digestOf(a))).toMatchObject({
      tags: ["1", "2", "3"],
      pushed: Date.parse(later),
      pulled: Date.parse(later),
      immutable: true,
    });
    expect(inventory.manifests.has(digestOf(b))).toBe(false);
  });

  test("what is attached is asked for where the list has images alone, or turns out not to have everything", async () => {
    const { store, asked } = remote();
    const index = twoPlatforms("a");
    const note = artifact("note", index.children[0]!.manifest.descriptor);
    await putImage(store, index, "1");
    await putImage(store, note);
    for (const lists of ["images", "manifests"] as const) {
      asked();
      const listed = list({ digest: digestOf(index), tags: ["1"] });
      const { manifests } = await readInventory(store, { listed, lists });
      expect(manifests.has(digestOf(note)), lists).toBe(true);
      expect(asked()).toEqual({ "GET manifests": 4, "GET referrers": 4 });
    }
  });

  test("sparing, a list that tells all costs nothing; what it leaves open is fetched", async () => {
    const { store, asked } = remote();
    const [told, untold, plain] = [twoPlatforms("told"), twoPlatforms("untold"), image("plain")];
    await putImage(store, told, "1");
    await putImage(store, untold, "2");
    await putImage(store, plain, "3");
    asked();
    const listed = list(
      { digest: digestOf(told), tags: ["1"], mediaType: mediaTypes.ociIndex, children: told.children.map(digestOf) },
      ...told.children.map((child) => ({ digest: digestOf(child), tags: [], mediaType: mediaTypes.ociManifest })),
      { digest: digestOf(untold), tags: ["2"], mediaType: mediaTypes.ociIndex },
      { digest: digestOf(plain), tags: ["3"], mediaType: mediaTypes.ociManifest, subject: digestOf(told), size: 4321 },
    );
    const { manifests } = await readInventory(store, { listed, lists: "images", sparing: true });
    expect(asked()).toEqual({ "GET manifests": 1, "GET referrers": 7, "HEAD manifests": 2 });
    expect(manifests.get(digestOf(told))).toMatchObject({ unread: true, children: told.children.map(digestOf) });
    expect(manifests.get(digestOf(untold))!.unread).toBeUndefined();
    expect(manifests.get(digestOf(plain))).toMatchObject({
      unread: true,
      size: 4321,
      blobs: [],
      subject: digestOf(told),
    });
  });

  test.each([{}, { noReferrers: 404 }])("sparing, what is attached is known to be, with %j", async (behaviour) => {
    const { store } = remote(behaviour);
    const a = image("a");
    const [tagged, untagged] = [artifact("tagged", a.manifest.descriptor), artifact("untagged", a.manifest.descriptor)];
    await putImage(store, a, "1");
    await putImage(store, tagged, "sbom");
    await putImage(store, untagged);
    const { manifests } = await readInventory(store, { sparing: true });
    for (const one of [tagged, untagged]) expect(manifests.get(digestOf(one))?.subject).toBe(digestOf(a));
  });

  test("shallow, nothing below what tags name is asked for", async () => {
    const { store, asked } = remote();
    await putImage(store, twoPlatforms("a"), "1");
    asked();
    const { manifests } = await readInventory(store, { shallow: true, sparing: true });
    expect(asked()).toEqual({ "GET manifests": 1, "GET tags": 1, "HEAD manifests": 2 });
    expect([...manifests.keys()]).toEqual([digestOf(twoPlatforms("a"))]);
  });

  test("a config is read once for all that is made of it, and never again", async () => {
    const { store, asked } = remote();
    const index = twoPlatforms("a");
    await putImage(store, index, "1");
    await store.putManifest(index.children[0]!.manifest, { tag: "1-amd64" });
    asked();
    const known = knownManifests();
    await readInventory(store, { created: true, known });
    expect(asked()["GET blobs"]).toBe(1);
    await readInventory(store, { created: true, known });
    expect(asked()["GET blobs"]).toBeUndefined();
  });
});

describe("what cannot be read", () => {
  const gone = new RegistryError("MANIFEST_UNKNOWN", "it is gone");
  const down = new RegistryError("UNAVAILABLE", "the registry answered 503");

  /** A store whose reads of some refs throw. */
  const failing = (store: Store, error: unknown, ...refs: readonly string[]): Store => ({
    ...store,
    manifest: (ref, call) => (refs.includes(ref) ? Promise.reject(error) : store.manifest(ref, call)),
  });

  test.each(["UNAVAILABLE", "DENIED", "UNVERIFIED", "MANIFEST_INVALID", "TOO_LARGE", "UNSUPPORTED"] as const)(
    "a part that is %s is a gap, with its place and why; the rest is read",
    async (code) => {
      const store = memoryStore();
      const index = twoPlatforms("a");
      await putImage(store, index, "1");
      const [amd64, arm64] = index.children.map(digestOf) as [Digest, Digest];
      const { gaps, manifests } = await readInventory(failing(store, new RegistryError(code, "so it is"), amd64));
      expect(gaps).toEqual([{ at: `memory@${amd64}`, why: "so it is" }]);
      expect([...manifests.keys()].toSorted()).toEqual([digestOf(index), arm64].toSorted());
    },
  );

  test("a tag that cannot be read is a gap; one that went away meanwhile is none", async () => {
    const store = memoryStore();
    await putImage(store, image("a"), "1");
    await putImage(store, image("b"), "2");
    expect((await readInventory(failing(store, down, "1"))).gaps).toEqual([
      { at: "memory:1", why: "the registry answered 503" },
    ]);
    const { gaps, tags } = await readInventory(failing(store, gone, "1"));
    expect(gaps).toEqual([]);
    expect([...tags.keys()]).toEqual(["2"]);
  });

  test("a tag that moved since it was listed is read where it is now; one that went away has no manifest", async () => {
    const store = memoryStore();
    await putImage(store, image("new"), "1");
    const listed = list(
      { digest: digestOf(image("old")), tags: ["1"] },
      { digest: digestOf(image("lost")), tags: ["2"] },
    );
    const { tags, manifests, gaps } = await readInventory(store, { listed, lists: "tags" });
    expect([...tags]).toEqual([["1", digestOf(image("new"))]]);
    expect([...manifests.keys()]).toEqual([digestOf(image("new"))]);
    expect(gaps).toEqual([]);
  });

  test("what a list of attachments cannot tell is a gap", async () => {
    const store = memoryStore();
    await putImage(store, image("a"), "1");
    // eslint-disable-next-line require-yield
    const referrers: Store["referrers"] = async function* () {
      throw down;
    };
    expect((await readInventory({ ...store, referrers })).gaps).toEqual([
      { at: `memory@${digestOf(image("a"))}`, why: "the registry answered 503" },
    ]);
  });

  test("what the service says cannot be pulled is taken as listed, where that is all of the graph", async () => {
    const store = memoryStore();
    const archived = digestOf(image("archived"));
    const index = digestOf(twoPlatforms("archived"));
    const listed = list(
      { digest: archived, tags: ["1"], mediaType: mediaTypes.ociManifest, state: "archived" },
      { digest: index, tags: ["2"], mediaType: mediaTypes.ociIndex, state: "archived" },
    );
    const { manifests, gaps } = await readInventory(failing(store, down, index), { listed, lists: "manifests" });
    expect(manifests.get(archived)).toMatchObject({ unread: true, state: "archived", tags: ["1"] });
    expect(gaps.map(({ at }) => at)).toEqual([`memory@${index}`]);
  });

  test("an image of Docker's oldest kind has no parts, and is no gap", async () => {
    const store = memoryStore();
    const digest = digestOf(image("old"));
    const mediaType = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    const old: Store = {
      ...failing(store, new RegistryError("UNSUPPORTED", "schema 1"), "old"),
      tags: async function* () {
        yield "old";
      },
      head: async () => ({ digest, mediaType, size: 7 }),
    };
    const { manifests, gaps } = await readInventory(old);
    expect(gaps).toEqual([]);
    expect(manifests.get(digest)).toMatchObject({ mediaType, children: [], blobs: [], unread: true, tags: ["old"] });
  });

  test("a repository that is not there is empty; a list that fails otherwise fails all", async () => {
    const { store } = remote();
    expect(await readInventory(store)).toMatchObject({ manifests: new Map(), tags: new Map(), gaps: [] });
    // eslint-disable-next-line require-yield
    const tags: Store["tags"] = async function* () {
      throw down;
    };
    await expect(readInventory({ ...store, tags })).rejects.toBe(down);
  });

  test("where the service itself lists nothing, all tags are read", async () => {
    const { store } = remote();
    await putImage(store, image("a"), "1");
    // eslint-disable-next-line require-yield
    const listed = (async function* (): AsyncGenerator<Listed, void> {
      throw new RegistryError("UNSUPPORTED", "not without a login");
    })();
    const inventory = await readInventory(store, { listed, lists: "manifests" });
    expect(inventory.listsUntagged).toBe(false);
    expect([...inventory.tags.keys()]).toEqual(["1"]);
  });
});

describe("when images were built", () => {
  const readWith = async (fault?: RegistryError): Promise<readonly [number | undefined, number]> => {
    const store = memoryStore();
    const config = Buffer.from('{"created":"2026-01-02T03:04:05Z","os":"linux","architecture":"amd64"}');
    const descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOfBytes(config), size: config.byteLength };
    await store.putBlob(descriptor, contentOf(config));
    await store.putManifest(buildManifest({ mediaType: mediaTypes.ociManifest, config: descriptor, layers: [] }), {
      tag: "1",
    });
    const blob: Store["blob"] = (digest, call) => (fault ? Promise.reject(fault) : store.blob(digest, call));
    const { manifests, gaps } = await readInventory({ ...store, blob }, { created: true });
    return [[...manifests.values()][0]!.created, gaps.length];
  };

  test("is in their configs; where one cannot be had for now, that is a gap, and where it is broken, it tells nothing", async () => {
    expect(await readWith()).toEqual([Date.parse("2026-01-02T03:04:05Z"), 0]);
    expect(await readWith(new RegistryError("UNVERIFIED", "it is corrupt"))).toEqual([undefined, 0]);
    expect(await readWith(new RegistryError("BLOB_UNKNOWN", "it is gone"))).toEqual([undefined, 0]);
    expect(await readWith(new RegistryError("UNAVAILABLE", "503"))).toEqual([undefined, 1]);
  });
});

describe("a registry without an end", () => {
  test("one that fails at everything is asked no more after a hundred failures", async () => {
    let asked = 0;
    const store: Store = {
      ...memoryStore(),
      tags: async function* () {
        for (let i = 0; i < 5000; i++) yield `t${i}`;
      },
      async manifest() {
        asked += 1;
        throw new RegistryError("UNAVAILABLE", "down");
      },
    };
    const { gaps } = await readInventory(store);
    expect(asked).toBeLessThan(120);
    expect(gaps).toHaveLength(101);
    expect(gaps).toContainEqual({ at: "memory", why: "after 100 that could not be read, nothing more was" });
  });

  test("attachments that hang on one another for ever are a gap", async () => {
    const store = memoryStore();
    await putImage(store, image("a"), "1");
    const referrers: Store["referrers"] = async function* (subject) {
      const next = artifact("next", { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 });
      await putImage(store, next);
      yield next.manifest.descriptor;
    };
    const { gaps, manifests } = await readInventory({ ...store, referrers });
    expect(gaps).toHaveLength(1);
    expect(gaps[0]!.why).toMatch(/never ends/);
    expect(manifests.size).toBe(10);
  });

  test("the same attachment everywhere, and cycles, are read once", async () => {
    const store = memoryStore();
    const [a, b] = [image("a"), image("b", { subject: image("a").manifest.descriptor })];
    await putImage(store, a, "1");
    await putImage(store, b);
    let asked = 0;
    const referrers: Store["referrers"] = async function* () {
      asked += 1;
      yield a.manifest.descriptor;
      yield b.manifest.descriptor;
      yield b.manifest.descriptor;
    };
    const { gaps, manifests } = await readInventory({ ...store, referrers });
    expect([gaps, manifests.size, asked]).toEqual([[], 2, 2]);
  });

  test("an index of 20,000 parts that are not there, and indexes nested deep, are read", async () => {
    const store = memoryStore();
    const parts = Array.from({ length: 20_000 }, (_, i) => ({
      mediaType: mediaTypes.ociManifest,
      digest: `sha256:${i.toString(16).padStart(64, "0")}`,
      size: 1,
    }));
    await store.putManifest(buildManifest({ mediaType: mediaTypes.ociIndex, manifests: parts }), { tag: "wide" });
    await putImage(store, nested("deep", 30), "deep");
    const { gaps, manifests } = await readInventory(store);
    expect([gaps, manifests.size]).toEqual([[], 1 + 31]);
  });

  test("an abort ends it with its error", async () => {
    const stop = new AbortController();
    const store = memoryStore();
    for (const tag of ["1", "2", "3"]) await putImage(store, image(tag), tag);
    const manifest: Store["manifest"] = async (ref, call) => {
      stop.abort();
      return store.manifest(ref, call);
    };
    await expect(readInventory({ ...store, manifest }, { signal: stop.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
