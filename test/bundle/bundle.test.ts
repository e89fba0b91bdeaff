import { existsSync, watch } from "node:fs";
import { readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { extract } from "tar-stream";
import { expect, onTestFinished, test } from "vitest";
import type { BundledImage } from "../../src/bundle/manifest.ts";
import { planBundle } from "../../src/bundle/plan-bundle.ts";
import { bundles, openBundle, parseBundleLocation } from "../../src/bundle/read.ts";
import { formatHoldings, heldOf, parseHoldings, type Holdings } from "../../src/bundle/record.ts";
import { heldStore } from "../../src/bundle/held-store.ts";
import { writeBundle, type WrittenBundle } from "../../src/bundle/write.ts";
import { copier } from "../../src/graph/copy.ts";
import { readInventory } from "../../src/graph/read-inventory.ts";
import { digestOf, hexOf, type Digest } from "../../src/oci/digest.ts";
import { streamOf } from "../../src/oci/stream.ts";
import type { CopyImage, Plan } from "../../src/plan/plan.ts";
import { ociArchiveStore } from "../../src/store/archive/oci-archive.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { artifact, image, putImage, twoPlatforms, type TestImage } from "../support/images.ts";
import { tarOf } from "../support/tar.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const place = "mirror.example/hub/app";
const now = new Date("2026-11-29T12:00:00Z");
const made = now.toISOString();

function planOf(images: readonly (readonly [tag: string, image: TestImage])[]): Plan {
  const steps = images.map(([tag, { manifest }], i): CopyImage => {
    const { digest } = manifest.descriptor;
    return {
      id: String(i + 1),
      do: "copy",
      from: `source/app:${tag}@${digest}`,
      at: `${place}:${tag}`,
      digest,
      before: null,
      why: "new",
    };
  });
  return { version: 1, kind: "sync", made, from: "sync.yaml", steps, kept: [], notes: [] };
}

const holdings = async (store: Store): Promise<Holdings> => ({
  version: 1,
  kind: "holdings",
  made,
  repositories: { [place]: heldOf(await readInventory(store)) },
});

interface Scene {
  readonly source: Store;
  readonly mirror: Store;
  readonly path: string;
  readonly write: (images: readonly (readonly [string, TestImage])[], have?: Holdings) => Promise<WrittenBundle>;
  readonly plan: (options?: { readonly to?: string; readonly creates?: boolean }) => Promise<Plan>;
  /** Does the copies of a plan, as applying it does. */
  readonly apply: (plan: Plan) => Promise<void>;
}

async function scene(): Promise<Scene> {
  const [source, mirror, path] = [
    memoryStore("source/app"),
    memoryStore(place),
    join(await temporaryDirectory(), "b.tar"),
  ];
  return {
    source,
    mirror,
    path,
    write: (images, have) => writeBundle(planOf(images), path, { open: () => source, ...(have && { have }) }),
    async plan({ to, creates = false } = {}) {
      const bundle = await openBundle(path);
      onTestFinished(() => bundle.close());
      return planBundle(bundle.manifest, {
        path,
        now,
        open: () => mirror,
        needsCreation: async () => creates,
        ...(to !== undefined && { to }),
      });
    },
    async apply({ steps }) {
      const open = bundles();
      onTestFinished(() => open.close());
      for (const step of steps) {
        if (step.do !== "copy") continue;
        const { path: file, at } = parseBundleLocation(step.from)!;
        const [outcome] = await copier(open.open(file, at), [{ store: mirror }]).copy(
          step.digest,
          step.at.slice(place.length + 1),
        );
        if (outcome && "error" in outcome) throw outcome.error;
      }
    },
  };
}

const everything = async (store: Store): Promise<unknown> => {
  const { manifests, tags } = await readInventory(store);
  return { tags: [...tags], manifests: [...manifests.keys()].sort() };
};

test("an image with all that is attached to it goes through a bundle", async () => {
  const { source, mirror, write, plan, apply, path } = await scene();
  const app = twoPlatforms("app");
  await putImage(source, app, "1.0");
  const sbom = artifact("sbom", app.manifest.descriptor);
  await putImage(source, sbom);
  const signature = image("signature");
  const digestTag = `sha256-${hexOf(app.children[0]!.manifest.descriptor.digest)}.sig`;
  await putImage(source, signature, digestTag);

  const { manifest, failures } = await write([["1.0", app]]);
  expect([failures, existsSync(`${path}.part`), existsSync(`${path}.lock`)]).toEqual([[], false, false]);
  expect(manifest.images).toMatchObject([
    {
      at: `${place}:1.0`,
      digest: app.manifest.descriptor.digest,
      expects: [],
      digestTags: { [digestTag]: signature.manifest.descriptor.digest },
    },
  ]);
  expect([manifest.made, manifest.from]).toEqual([made, "sync.yaml"]);

  const first = await plan();
  expect(first.steps).toMatchObject([
    { do: "copy", from: `bundle:${path}!${place}:1.0`, at: `${place}:1.0`, before: null },
  ]);
  await apply(first);
  expect(await everything(mirror)).toEqual(await everything(source));
  const again = await plan();
  expect([again.steps, again.kept]).toEqual([
    [],
    [{ at: `${place}:1.0`, digest: app.manifest.descriptor.digest, why: "it is there" }],
  ]);
});

test("what the destination has is left out, and expected there", async () => {
  const { source, mirror, write, plan, apply } = await scene();
  const old = image("app", { layers: 2 });
  // The same layers and one more: the config changes, and one layer.
  const next = image("app", { layers: 3 });
  await putImage(source, next, "2.0");
  await putImage(mirror, old, "1.0");
  const have = await holdings(mirror);
  const { manifest } = await write([["2.0", next]], have);
  const [only] = manifest.images;
  const [config, ...layers] = next.blobs.map(({ descriptor }) => descriptor.digest);
  expect(only!.expects.toSorted()).toEqual(layers.slice(0, 2).sort());
  expect(only!.blobs.toSorted()).toEqual([config!, layers[2]!].sort());
  expect([only!.before, only!.bytes]).toEqual([null, next.blobs[0]!.bytes.length + 1000]);

  await apply(await plan());
  expect((await mirror.head("2.0"))?.digest).toBe(next.manifest.descriptor.digest);
});

test("where something that is expected is gone, the image is refused and nothing of it is put", async () => {
  const { source, mirror, write, plan, apply } = await scene();
  const [next, other] = [image("app", { layers: 3 }), image("other")];
  await putImage(source, next, "2.0");
  await putImage(source, other, "o");
  const full = memoryStore();
  await putImage(full, image("app"), "1.0");
  await write(
    [
      ["2.0", next],
      ["o", other],
    ],
    await holdings(full),
  );
  await putImage(mirror, image("unrelated"), "1.0");
  const { steps, notes } = await plan();
  expect(steps.map(({ at }) => at)).toEqual([`${place}:o`]);
  const missing = next.blobs.slice(1, 3).map(({ descriptor }) => descriptor.digest);
  expect(notes).toMatchObject([{ level: "refused", at: `${place}:2.0` }]);
  for (const digest of missing) expect(notes[0]!.message).toContain(digest);
  const step: CopyImage = {
    ...(steps[0] as CopyImage),
    at: `${place}:2.0`,
    from: (steps[0] as CopyImage).from.replace(":o", ":2.0"),
    digest: next.manifest.descriptor.digest,
  };
  await expect(apply({ ...planOf([]), steps: [step] })).rejects.toThrow("expects blob");
  expect(await Array.fromAsync(mirror.tags())).toEqual(["1.0"]);
});

test("a tag that moved since, a repository to create, and another registry", async () => {
  const { source, write, mirror, plan, path } = await scene();
  const app = image("app");
  await putImage(source, app, "1.0");
  await write([["1.0", app]], { version: 1, kind: "holdings", made, repositories: {} });
  const others = image("somebody's");
  await putImage(mirror, others, "1.0");
  const moved = await plan();
  expect(moved.steps).toMatchObject([
    { before: others.manifest.descriptor.digest, why: `it names ${others.manifest.descriptor.digest}` },
  ]);
  expect(moved.notes).toMatchObject([{ level: "warning", at: `${place}:1.0` }]);

  const absent = memoryStore();
  const opened = await openBundle(path);
  onTestFinished(() => opened.close());
  const { manifest } = opened;
  const gone = {
    ...absent,
    tags: () => {
      throw new Error("x");
    },
  };
  const broken = await planBundle(manifest, { path, now, open: () => gone, needsCreation: async () => true });
  expect(broken.notes).toMatchObject([{ level: "refused", message: "it cannot be looked at: x" }]);
  const elsewhere = await planBundle(manifest, {
    path,
    now,
    to: "inside.example:5000/copies/",
    open: () => absent,
    needsCreation: async () => true,
  });
  expect(elsewhere.steps).toMatchObject([{ do: "copy", at: "inside.example:5000/copies/hub/app:1.0" }]);
  await expect(
    planBundle(manifest, { path, now, to: "inside", open: () => absent, needsCreation: async () => true }),
  ).rejects.toThrow('"inside" names no registry');
});

test("one image that fails does not stop the others; none at all is an error", async () => {
  const { source, write, path } = await scene();
  const [good, bad] = [image("good"), image("bad")];
  await putImage(source, good, "good");
  const { manifest, failures } = await write([
    ["good", good],
    ["bad", bad],
  ]);
  expect(manifest.images.map(({ at }) => at)).toEqual([`${place}:good`]);
  expect(failures).toMatchObject([{ at: `${place}:bad` }]);
  await rm(path);
  await expect(write([["bad", bad]])).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN" });
  expect(existsSync(path)).toBe(false);
});

test("a run that was stopped goes on with what it has", async () => {
  const { source, path } = await scene();
  const images = ["a", "b", "c"].map((seed) => [seed, image(seed)] as const);
  for (const [tag, one] of images) await putImage(source, one, tag);
  const stop = new AbortController();
  let opened: Digest[] = [];
  const counted: Store = {
    ...source,
    blob(digest, call) {
      opened.push(digest);
      if (opened.length === 5) stop.abort();
      return source.blob(digest, call);
    },
  };
  const options = { open: () => counted, jobs: 1 };
  await expect(writeBundle(planOf(images), path, { ...options, signal: stop.signal })).rejects.toThrow();
  expect([existsSync(path), existsSync(`${path}.part`)]).toEqual([false, true]);
  const before = new Set(opened.slice(0, 3));
  opened = [];
  const { manifest } = await writeBundle(planOf(images), path, options);
  expect(manifest.images).toHaveLength(3);
  expect(opened.filter((digest) => before.has(digest))).toEqual([]);
  await (await openBundle(path)).close();
});

test("stopped before its checksum is beside it, a bundle is no damaged one: that of an older one is gone", async () => {
  const { source, path, write } = await scene();
  const images = [image("old"), image("new", { layerSize: 1 << 25 })] as const;
  for (const [i, one] of images.entries()) await putImage(source, one, `${i}`);
  await write([["0", images[0]]]);
  const old = await readFile(`${path}.sha256`, "utf8");
  const stop = new AbortController();
  const appears = watch(dirname(path), (_, name) => name === "b.tar" && stop.abort());
  onTestFinished(() => appears.close());
  const plan = planOf([["1", images[1]]]);
  await expect(writeBundle(plan, path, { open: () => source, signal: stop.signal })).rejects.toThrow(/abort/);
  const bundle = await openBundle(path);
  expect(bundle.manifest.images.map(({ at }) => at)).toEqual([`${place}:1`]);
  await bundle.close();
  await write([["1", images[1]]]);
  expect(await readFile(`${path}.sha256`, "utf8")).not.toBe(old);
});

test("takes the place of a bundle, also behind a link, and of nothing else", async () => {
  const { source, path, write, plan } = await scene();
  const app = image("app");
  await putImage(source, app, "1.0");
  const images = [["1.0", app]] as const;
  await writeFile(path, "important\n");
  await expect(write(images)).rejects.toMatchObject({
    code: "INVALID",
    message: expect.stringContaining("is no bundle"),
  });
  expect(await readFile(path, "utf8")).toBe("important\n");
  await rm(path);
  const other = ociArchiveStore(path);
  await putImage(other, app, "kept");
  await other.flush();
  await other.close();
  await expect(write(images)).rejects.toThrow("is no bundle");
  await rm(path);
  await writeFile(path, "");
  await write(images);
  const link = `${path}.link`;
  await symlink(path, link);
  await putImage(source, image("new"), "2.0");
  for (const isThere of [true, false]) {
    if (!isThere) await rm(path);
    await writeBundle(planOf([["2.0", image("new")]]), link, { open: () => source });
    expect((await plan()).steps.map(({ at }) => at)).toEqual([`${place}:2.0`]);
  }
  expect((await readdir(dirname(path))).toSorted()).toEqual(["b.tar", "b.tar.link", "b.tar.sha256"]);
});

test("where nothing could be fetched, why that is", async () => {
  const { write, path } = await scene();
  await expect(write([["1.0", image("absent")]])).rejects.toMatchObject({
    code: "MANIFEST_UNKNOWN",
    message: expect.stringContaining(`nothing could be fetched for ${path}: `),
  });
});

test("plain tools find whole images in it, and sha256sum its checksums", async () => {
  const { source, write, path } = await scene();
  const app = twoPlatforms("app");
  await putImage(source, app, "1.0");
  await write([["1.0", app]]);
  const archive = ociArchiveStore(path);
  onTestFinished(() => archive.close());
  expect((await archive.manifest(`${place}:1.0`))?.descriptor.digest).toBe(app.manifest.descriptor.digest);
  const bytes = await readFile(path);
  expect(await readFile(`${path}.sha256`, "utf8")).toBe(`${hexOf(digestOf(bytes))}  b.tar\n`);
  const members = await membersOf(bytes);
  const sums = members.get("SHA256SUMS")!.toString().trimEnd().split("\n");
  members.delete("SHA256SUMS");
  expect(sums).toEqual([...members].map(([name, one]) => `${hexOf(digestOf(one))}  ${name}`).sort());
});

async function membersOf(tar: Uint8Array): Promise<Map<string, Buffer>> {
  const members = new Map<string, Buffer>();
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader)
    members.set(entry.header.name, Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>)));
  return members;
}

test.each<readonly [string, (members: Map<string, Buffer>) => void, string]>([
  ["no manifest", (members) => void members.delete("gantry-bundle.json"), "it has no gantry-bundle.json"],
  ["no sums", (members) => void members.delete("SHA256SUMS"), "it has no SHA256SUMS"],
  ["broken sums", (members) => void members.set("SHA256SUMS", Buffer.from("x\n")), "its SHA256SUMS is damaged"],
  ["sums of little", (members) => void members.set("SHA256SUMS", Buffer.from("")), "is missing"],
  [
    "a changed manifest",
    (members) =>
      void members.set("gantry-bundle.json", Buffer.concat([members.get("gantry-bundle.json")!, Buffer.from(" ")])),
    "gantry-bundle.json is not what SHA256SUMS says",
  ],
  [
    "no JSON",
    (members) => void members.set("gantry-bundle.json", Buffer.from("{")),
    "its gantry-bundle.json is no JSON",
  ],
  [
    "a missing blob",
    (members) => void members.delete([...members.keys()].find((name) => name.startsWith("blobs/"))!),
    "is missing",
  ],
  [
    "a changed blob",
    (members) => {
      const name = [...members.keys()].find((one) => one.startsWith("blobs/"))!;
      members.set(name, Buffer.alloc(members.get(name)!.length));
    },
    "is not what SHA256SUMS says",
  ],
])("a bundle with %s is refused before anything is done", async (_, damage, message) => {
  const { source, write, path } = await scene();
  const app = image("app");
  await putImage(source, app, "1.0");
  await write([["1.0", app]]);
  const members = await membersOf(await readFile(path));
  damage(members);
  await writeFile(path, await tarOf([...members].map(([name, bytes]) => ({ name, bytes }))));
  await expect(openBundle(path)).rejects.toThrow(`${path}.sha256 says`);
  await rm(`${path}.sha256`);
  await expect(openBundle(path)).rejects.toThrow(message);
});

test("a bundle that is cut off anywhere, or has a bit turned, is refused", async () => {
  const { source, write, path } = await scene();
  const app = image("app");
  await putImage(source, app, "1.0");
  await write([["1.0", app]]);
  await rm(`${path}.sha256`);
  const whole = await readFile(path);
  const meant = (await membersOf(whole)).size;
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), fc.boolean(), async (at, bit, cut) => {
      const bytes = cut ? whole.subarray(0, at) : Buffer.from(whole);
      if (!cut) bytes[at]! ^= 1 << bit;
      await writeFile(path, bytes);
      try {
        await (await openBundle(path)).close();
      } catch {
        return;
      }
      // What was not found out changes nothing: padding, the end, or a field that nobody reads.
      const members = await membersOf(bytes).catch(() => undefined);
      if (members?.size === meant)
        for (const [name, one] of await membersOf(whole)) if (members.has(name)) expect(members.get(name)).toEqual(one);
    }),
    { numRuns: 150 },
  );
});

test.each<readonly [string, (image: BundledImage) => unknown, string]>([
  ["no registry", (one) => ({ ...one, at: "oci:/etc:x" }), "is no image of a registry"],
  ["a short name", (one) => ({ ...one, at: "app:1.0" }), "is no image of a registry"],
  ["a way out", (one) => ({ ...one, at: "mirror.example/../x:1" }), "is no image of a registry"],
  ["another root", (one) => ({ ...one, digest: digestOf("x") }), "is not among them"],
  ["a foreign part", (one) => ({ ...one, manifests: [...one.manifests, digestOf("y")] }), "is missing"],
  ["a tag that is none", (one) => ({ ...one, digestTags: { "../x": one.digest } }), "is no tag"],
  [
    "another registry's blob",
    (one) => ({ ...one, mounts: { [one.digest]: "evil.example/x" } }),
    "is in another registry",
  ],
  ["a repository that is none", (one) => ({ ...one, mounts: { [one.digest]: "../x" } }), "is no repository"],
  ["something unknown", (one) => ({ ...one, run: "rm" }), '"run" is not known here'],
])("a bundle that is made to mislead is refused: %s", async (_, change, message) => {
  const { source, write, path } = await scene();
  const app = image("app");
  await putImage(source, app, "1.0");
  const { manifest } = await write([["1.0", app]]);
  const about = Buffer.from(JSON.stringify({ ...manifest, images: manifest.images.map(change) }));
  const members = await membersOf(await readFile(path));
  members.set("gantry-bundle.json", about);
  const lines = [...members]
    .filter(([name]) => name !== "SHA256SUMS")
    .map(([name, one]) => `${hexOf(digestOf(one))}  ${name}\n`);
  members.set("SHA256SUMS", Buffer.from(lines.join("")));
  await writeFile(path, await tarOf([...members].map(([name, bytes]) => ({ name, bytes }))));
  await rm(`${path}.sha256`);
  await expect(openBundle(path)).rejects.toThrow(message);
});

test("what is no bundle is told so", async () => {
  const folder = await temporaryDirectory();
  await expect(openBundle(join(folder, "none.tar"))).rejects.toThrow("there is no bundle at");
  await expect(openBundle(folder)).rejects.toThrow("is a directory");
  const path = join(folder, "other.tar");
  await writeFile(path, await tarOf([{ name: "../../etc/x", bytes: "x" }]));
  await expect(openBundle(path)).rejects.toThrow("leads out of the archive");
  await writeFile(`${path}.sha256`, "nonsense\n");
  await expect(openBundle(path)).rejects.toThrow("is no checksum");
});

test("a record of what is there can be read again, and stands for it", async () => {
  const store = memoryStore(place);
  const app = twoPlatforms("app");
  await putImage(store, app, "1.0");
  await putImage(store, artifact("sbom", app.manifest.descriptor));
  const have = await holdings(store);
  const text = formatHoldings(have);
  expect(parseHoldings({ name: "have.json", value: JSON.parse(text) })).toEqual(have);
  const held = heldStore(place, have.repositories[place]!);
  expect(await held.head("1.0")).toMatchObject({
    digest: app.manifest.descriptor.digest,
    size: app.manifest.descriptor.size,
  });
  expect(await Array.fromAsync(held.tags())).toEqual(["1.0"]);
  expect(await Array.fromAsync(held.referrers(app.manifest.descriptor.digest))).toMatchObject([
    { artifactType: "application/vnd.example.thing" },
  ]);
  expect(await held.head("constructor")).toBeUndefined();
  await expect(held.putBlob({ digest: digestOf("x") }, async () => streamOf())).rejects.toMatchObject({
    code: "UNSUPPORTED",
  });
  expect(() => parseHoldings({ name: "have.json", value: { ...have, kind: "plan" } })).toThrow("has to be holdings");
});

test("whatever the destination has, the bundle and it make the image whole", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 }),
      fc.uniqueArray(fc.nat(5), { maxLength: 4 }),
      async (wanted, there) => {
        const { source, mirror, write, plan, apply } = await scene();
        const of = (n: number): TestImage => image("shared", { layers: n + 1 });
        for (const n of wanted) await putImage(source, of(n), `v${n}`);
        for (const n of there) await putImage(mirror, of(n), `v${n}`);
        const { manifest } = await write(
          wanted.map((n) => [`v${n}`, of(n)]),
          await holdings(mirror),
        );
        const had = new Set(there.flatMap((n) => of(n).blobs.map(({ descriptor }) => descriptor.digest)));
        for (const one of manifest.images) expect(one.blobs.filter((digest) => had.has(digest))).toEqual([]);
        await apply(await plan());
        for (const n of wanted) {
          expect((await mirror.head(`v${n}`))?.digest).toBe(of(n).manifest.descriptor.digest);
          for (const { descriptor, bytes } of of(n).blobs)
            expect(await mirror.size(descriptor.digest)).toBe(bytes.length);
        }
      },
    ),
    { numRuns: 12 },
  );
});
