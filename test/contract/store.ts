import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { isRegistryError, type ErrorCode } from "../../src/oci/error.ts";
import { parseManifest, type Manifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { collect, contentOf, type ByteStream, type Content } from "../../src/oci/stream.ts";
import type { Source, Store } from "../../src/store/store.ts";
import * as images from "../support/images.ts";

/** A fresh, empty store for one test. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Opens the same place anew, after a flush: what is to be found there is what was put. */
  readonly reopen?: () => Promise<Store>;
  readonly cleanup?: () => Promise<void>;
}

export interface ContractOptions {
  /** What this store cannot promise, by the test's name, and why. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
  /** How this store writes a tag, where it is more than a plain one: a docker-archive wants the repository too. */
  readonly tagged?: (tag: string) => string;
}

type Body = (under: StoreUnderTest & { readonly tag: (plain: string) => string }) => Promise<void>;

/** Every promise of the Store interface, as tests of one kind of store. */
export function storeContract(name: string, make: () => Promise<StoreUnderTest>, options: ContractOptions = {}): void {
  const { skip = [], tagged: tag = (plain) => plain } = options;
  const cases: Readonly<Record<string, Body>> = {
    ...blobs,
    ...manifests,
    ...tags,
    ...deletion,
    ...referrers,
    ...lifetime,
  };
  const unknown = skip.filter((entry) => !Object.hasOwn(cases, entry.test)).map((entry) => entry.test);
  if (unknown.length > 0) throw new Error(`no such test in the store contract: ${unknown.join(", ")}`);

  describe(`${name} is a store`, () => {
    for (const [title, body] of Object.entries(cases)) {
      const skipped = skip.find((entry) => entry.test === title);
      test(title, async (context) => {
        if (skipped) context.skip(skipped.reason);
        const under = await make();
        onTestFinished(async () => {
          await under.store.close();
          await under.cleanup?.();
        });
        await body({ ...under, tag });
      });
    }
  });
}

const blobs: Readonly<Record<string, Body>> = {
  "a blob that is not there has no size and BLOB_UNKNOWN": async ({ store }) => {
    const { digest } = images.randomBlob("absent").descriptor;
    expect(await store.size(digest)).toBeUndefined();
    await expectCode("BLOB_UNKNOWN", async () => read(store, digest));
  },
  "a blob comes back byte for byte": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("one");
    expect(await store.putBlob(descriptor, contentOf(bytes))).toBe("written");
    expect(await store.size(descriptor.digest)).toBe(bytes.byteLength);
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "with replace, a blob that is there is sent again": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("replaced");
    await store.putBlob(descriptor, contentOf(bytes));
    let opened = 0;
    const content: Content = () => ((opened += 1), contentOf(bytes)());
    expect(await store.putBlob(descriptor, content, { replace: true })).toBe("written");
    expect(opened).toBe(1);
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "a blob may be read with its size and in transient pieces": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("transient", 300_000);
    await store.putBlob(descriptor, contentOf(bytes));
    const stream = await store.blob(descriptor.digest, { size: bytes.byteLength, transient: true });
    expect(digestOf(await collect(stream, 300_000))).toBe(descriptor.digest);
  },
  "a blob read with a wrong size is UNVERIFIED": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("wrong size", 5000);
    await store.putBlob(descriptor, contentOf(bytes));
    await expectCode("UNVERIFIED", async () => {
      for await (const _ of await store.blob(descriptor.digest, { size: 4999 }));
    });
  },
  "a reader may leave a blob half-read": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("half", 3 * 1024 * 1024);
    await store.putBlob(descriptor, contentOf(bytes));
    for await (const _ of await store.blob(descriptor.digest)) break;
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "a blob named by sha512": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("sha512", 1000, "sha512");
    await store.putBlob(descriptor, contentOf(bytes));
    expect(await store.size(descriptor.digest)).toBe(1000);
    expect(digestOf(await read(store, descriptor.digest), "sha512")).toBe(descriptor.digest);
  },
  "an empty blob": async ({ store }) => {
    const { descriptor } = images.randomBlob("empty", 0);
    expect(await store.putBlob(descriptor, contentOf(new Uint8Array()))).toBe("written");
    expect(await store.size(descriptor.digest)).toBe(0);
    expect((await read(store, descriptor.digest)).byteLength).toBe(0);
  },
  "a blob of 5 MiB in odd pieces": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("large", 5 * 1024 * 1024);
    expect(await store.putBlob(descriptor, async () => pieces(bytes, 77_777))).toBe("written");
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "a blob whose size nobody knows beforehand": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("unknown size", 200_000);
    expect(await store.putBlob({ digest: descriptor.digest }, async () => pieces(bytes, 9999))).toBe("written");
    expect(await store.size(descriptor.digest)).toBe(200_000);
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "pieces that are overwritten once the next is asked for": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("reused buffer", 2_500_000);
    await store.putBlob(descriptor, async () => reusedBuffer(bytes, 65_536));
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "a blob that is there is not opened again": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("twice");
    await store.putBlob(descriptor, contentOf(bytes));
    const unopened: Content = () => Promise.reject(new Error("opened without need"));
    expect(await store.putBlob(descriptor, unopened)).toBe("exists");
    expect(await store.putBlob({ digest: descriptor.digest }, unopened)).toBe("exists");
  },
  "content may be opened more than once": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("again");
    let opened = 0;
    const flaky: Content = async () => (++opened === 1 ? broken(bytes) : pieces(bytes, 100));
    await store.putBlob(descriptor, flaky).catch(() => store.putBlob(descriptor, flaky));
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "bytes with another digest are UNVERIFIED and leave nothing": async ({ store }) => {
    const { descriptor } = images.randomBlob("expected");
    await refused(store, descriptor, contentOf(images.randomBytes("other", 1000)));
  },
  "too few bytes are UNVERIFIED and leave nothing": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("short");
    await refused(store, descriptor, contentOf(bytes.subarray(0, 999)));
  },
  "too many bytes are UNVERIFIED and leave nothing": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("long");
    await refused(store, { ...descriptor, size: 999 }, async () => pieces(bytes, 100));
  },
  "content that breaks off leaves nothing, and the blob can be put again": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("broken off", 100_000);
    await expect(store.putBlob(descriptor, async () => broken(bytes))).rejects.toThrow("broke off");
    expect(await store.size(descriptor.digest)).toBeUndefined();
    expect(await store.putBlob(descriptor, contentOf(bytes))).toBe("written");
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "one blob put many times at once": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("at once", 400_000);
    const puts = Array.from({ length: 6 }, () => store.putBlob(descriptor, async () => pieces(bytes, 33_333)));
    expect(await Promise.all(puts)).toContain("written");
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "many blobs put at once": async ({ store }) => {
    const many = Array.from({ length: 20 }, (_, i) => images.randomBlob(`many ${i}`, 20_000));
    await Promise.all(many.map(({ descriptor, bytes }) => store.putBlob(descriptor, async () => pieces(bytes, 7777))));
    for (const { descriptor } of many) expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
  "a good put heals after a concurrent bad one": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("good and bad", 50_000);
    const bad = store.putBlob(descriptor, contentOf(images.randomBytes("bad", 50_000)));
    const good = store.putBlob(descriptor, contentOf(bytes));
    await expectCode("UNVERIFIED", () => bad);
    await good;
    expect(digestOf(await read(store, descriptor.digest))).toBe(descriptor.digest);
  },
};

const kinds: readonly (readonly [string, () => images.TestImage])[] = [
  ["an OCI image", () => images.image("oci")],
  ["a Docker image", () => images.image("docker", { docker: true })],
  ["an OCI index", () => images.twoPlatforms("oci")],
  ["a Docker list", () => images.twoPlatforms("docker", { docker: true })],
  ["an index in an index", () => images.nestedIndex("nested")],
  ["an artifact manifest", () => images.artifactManifest("old", images.image("subject").manifest.descriptor)],
];

const manifests: Readonly<Record<string, Body>> = {
  "a manifest that is not there is undefined": async ({ store, tag }) => {
    const { digest } = images.image("absent").manifest.descriptor;
    expect(await store.head(tag("absent"))).toBeUndefined();
    expect(await store.head(digest)).toBeUndefined();
    expect(await store.manifest(tag("absent"))).toBeUndefined();
    expect(await store.manifest(digest)).toBeUndefined();
  },
  ...Object.fromEntries(
    kinds.map(([kind, make]): [string, Body] => [
      `${kind} comes back byte for byte, by tag and by digest, with its children`,
      async ({ store, tag }) => {
        const made = make();
        await images.putImage(store, made, tag("v1"));
        await expectManifest(store, tag("v1"), made.manifest);
        for (const { manifest } of images.allOf(made))
          await expectManifest(store, manifest.descriptor.digest, manifest);
      },
    ]),
  ),
  "a manifest's white space stays": async ({ store, tag }) => {
    const made = images.image("spaces");
    const odd = parseManifest(Buffer.from(`\n${JSON.stringify(JSON.parse(text(made.manifest)), undefined, 5)}\t\r\n`));
    await images.putImage(store, { ...made, manifest: odd }, tag("odd"));
    await expectManifest(store, tag("odd"), odd);
  },
  "a manifest without the optional mediaType": async ({ store, tag }) => {
    const made = images.image("plain");
    const { mediaType: _, ...body } = JSON.parse(text(made.manifest));
    const plain = parseManifest(Buffer.from(JSON.stringify(body)));
    await images.putImage(store, { ...made, manifest: plain }, tag("plain"));
    await expectManifest(store, tag("plain"), plain);
  },
  "a manifest put without a tag is found by its digest alone": async ({ store }) => {
    const made = images.image("untagged");
    await images.putImage(store, made);
    await expectManifest(store, made.manifest.descriptor.digest, made.manifest);
    expect(await all(store.tags())).toEqual([]);
  },
  "a manifest may be put again": async ({ store, tag }) => {
    const made = images.image("again");
    await images.putImage(store, made, tag("v1"));
    await images.putImage(store, made, tag("v1"));
    await expectManifest(store, tag("v1"), made.manifest);
    expect(await all(store.tags())).toEqual([tag("v1")]);
  },
  "a manifest whose bytes have another digest is DIGEST_INVALID and not stored": async ({ store, tag }) => {
    const made = images.image("honest");
    await images.putImage(store, made, tag("before"));
    const { digest } = images.image("claimed").manifest.descriptor;
    const lie = { ...made.manifest, descriptor: { ...made.manifest.descriptor, digest } };
    await expectCode("DIGEST_INVALID", () => store.putManifest(lie, { tag: tag("lie") }));
    expect(await store.manifest(digest)).toBeUndefined();
    expect(await store.manifest(tag("lie"))).toBeUndefined();
  },
  "a layer is no manifest": async ({ store, tag }) => {
    const made = images.image("layered");
    await images.putImage(store, made, tag("v1"));
    for (const { descriptor } of made.blobs) expect(await store.manifest(descriptor.digest)).toBeUndefined();
  },
};

const tags: Readonly<Record<string, Body>> = {
  "an empty store has no tags": async ({ store }) => {
    expect(await all(store.tags())).toEqual([]);
  },
  "tags come in byte order": async ({ store, tag }) => {
    const names = ["v2", "latest", "v10", "V1", "1.0", "_hidden"];
    for (const name of names) await images.putImage(store, images.image(name, { layers: 1 }), tag(name));
    expect(await all(store.tags())).toEqual(["1.0", "V1", "_hidden", "latest", "v10", "v2"].map(tag));
  },
  "two tags name one manifest": async ({ store, tag }) => {
    const made = images.image("twice named");
    await images.putImage(store, made, tag("a"));
    await store.putManifest(made.manifest, { tag: tag("b") });
    await expectManifest(store, tag("a"), made.manifest);
    await expectManifest(store, tag("b"), made.manifest);
    expect(await all(store.tags())).toEqual([tag("a"), tag("b")]);
  },
  "a tag moves to another manifest": async ({ store, tag }) => {
    const [before, after] = [images.image("before"), images.image("after")];
    await images.putImage(store, before, tag("latest"));
    await images.putImage(store, after, tag("latest"));
    await expectManifest(store, tag("latest"), after.manifest);
    await expectManifest(store, before.manifest.descriptor.digest, before.manifest);
    expect(await all(store.tags())).toEqual([tag("latest")]);
  },
  "many tags put at once are all there": async ({ store, tag }) => {
    const made = Array.from({ length: 10 }, (_, i) => images.image(`image ${i}`, { layers: 1 }));
    await Promise.all(made.map((image, i) => images.putImage(store, image, tag(`t${i}`))));
    expect(await all(store.tags())).toEqual(made.map((_, i) => tag(`t${i}`)));
    for (const [i, { manifest }] of made.entries()) await expectManifest(store, tag(`t${i}`), manifest);
  },
};

const deletion: Readonly<Record<string, Body>> = {
  "deleting a tag leaves its siblings and the manifest": async ({ store, tag }) => {
    const made = images.image("siblings");
    await images.putImage(store, made, tag("a"));
    await store.putManifest(made.manifest, { tag: tag("b") });
    await store.deleteTag(tag("a"));
    expect(await store.head(tag("a"))).toBeUndefined();
    await expectManifest(store, tag("b"), made.manifest);
    expect(await all(store.tags())).toEqual([tag("b")]);
  },
  "deleting the last tag leaves the manifest": async ({ store, tag }) => {
    const made = images.image("last");
    await images.putImage(store, made, tag("only"));
    await store.deleteTag(tag("only"));
    expect(await all(store.tags())).toEqual([]);
    await expectManifest(store, made.manifest.descriptor.digest, made.manifest);
    expect(digestOf(await read(store, made.blobs[1]!.descriptor.digest))).toBe(made.blobs[1]!.descriptor.digest);
  },
  "deleting a tag that is not there is MANIFEST_UNKNOWN": async ({ store, tag }) => {
    await images.putImage(store, images.image("there"), tag("there"));
    await expectCode("MANIFEST_UNKNOWN", () => store.deleteTag(tag("absent")));
    await expectCode("MANIFEST_UNKNOWN", () => store.deleteTag(tag("There")));
  },
  "deleting a manifest takes its tags and no others": async ({ store, tag }) => {
    const [gone, kept] = [images.image("gone"), images.image("kept")];
    await images.putImage(store, gone, tag("a"));
    await store.putManifest(gone.manifest, { tag: tag("b") });
    await images.putImage(store, kept, tag("c"));
    await store.deleteManifest(gone.manifest.descriptor.digest);
    expect(await store.manifest(gone.manifest.descriptor.digest)).toBeUndefined();
    expect(await store.manifest(tag("a"))).toBeUndefined();
    expect(await all(store.tags())).toEqual([tag("c")]);
    await expectManifest(store, tag("c"), kept.manifest);
  },
  "a deleted manifest may be put again": async ({ store, tag }) => {
    const made = images.image("back");
    await images.putImage(store, made, tag("v1"));
    await store.deleteManifest(made.manifest.descriptor.digest);
    await images.putImage(store, made, tag("v1"));
    await expectManifest(store, tag("v1"), made.manifest);
    await expectManifest(store, made.manifest.descriptor.digest, made.manifest);
  },
  "deleting an index leaves its children": async ({ store, tag }) => {
    const made = images.twoPlatforms("parent");
    await images.putImage(store, made, tag("v1"));
    await store.deleteManifest(made.manifest.descriptor.digest);
    for (const { manifest } of made.children) await expectManifest(store, manifest.descriptor.digest, manifest);
  },
  "deleting a manifest that is not there is MANIFEST_UNKNOWN": async ({ store, tag }) => {
    const made = images.image("with layers");
    await images.putImage(store, made, tag("v1"));
    await expectCode("MANIFEST_UNKNOWN", () => store.deleteManifest(images.image("absent").manifest.descriptor.digest));
    await expectCode("MANIFEST_UNKNOWN", () => store.deleteManifest(made.blobs[1]!.descriptor.digest));
    expect(digestOf(await read(store, made.blobs[1]!.descriptor.digest))).toBe(made.blobs[1]!.descriptor.digest);
  },
};

const referrers: Readonly<Record<string, Body>> = {
  "a manifest without referrers has none": async ({ store, tag }) => {
    const made = images.image("lonely");
    await images.putImage(store, made, tag("v1"));
    expect(await all(store.referrers(made.manifest.descriptor.digest))).toEqual([]);
  },
  "referrers are listed with artifact type and annotations": async ({ store, tag }) => {
    const made = images.image("signed");
    const { descriptor } = made.manifest;
    await images.putImage(store, made, tag("v1"));
    const sbom = images.artifact("sbom", descriptor, { type: "application/spdx+json", annotations: { by: "tests" } });
    const signature = images.artifact("signature", descriptor, { type: "application/vnd.example.signature" });
    const plain = images.image("attached image", { subject: descriptor });
    const index = images.indexOf([images.image("in the attached index")], { subject: descriptor });
    for (const attached of [sbom, signature, plain, index]) await images.putImage(store, attached);
    const expected = [sbom, signature, plain, index].map((attached) => attached.manifest.descriptor);
    expect(byDigest(await all(store.referrers(descriptor.digest)))).toEqual(byDigest(expected));
    expect(await all(store.tags())).toEqual([tag("v1")]);
  },
  "referrers are filtered by artifact type": async ({ store, tag }) => {
    const made = images.image("filtered");
    const { descriptor } = made.manifest;
    await images.putImage(store, made, tag("v1"));
    const wanted = images.artifact("wanted", descriptor, { type: "application/vnd.example.wanted" });
    await images.putImage(store, wanted);
    await images.putImage(store, images.artifact("other", descriptor, { type: "application/vnd.example.other" }));
    const call = { artifactType: "application/vnd.example.wanted" };
    expect(await all(store.referrers(descriptor.digest, call))).toEqual([wanted.manifest.descriptor]);
    expect(await all(store.referrers(descriptor.digest, { artifactType: "application/vnd.example.none" }))).toEqual([]);
  },
  "an image's artifact type is that of its config": async ({ store }) => {
    const { descriptor } = images.image("typed by config").manifest;
    const attached = images.image("config type", { subject: descriptor });
    await images.putImage(store, attached);
    const call = { artifactType: mediaTypes.ociConfig };
    expect(await all(store.referrers(descriptor.digest, call))).toEqual([attached.manifest.descriptor]);
  },
  "referrers are listed of a subject that is not there": async ({ store }) => {
    const { descriptor } = images.image("absent subject").manifest;
    const attached = images.artifact("early", descriptor);
    await images.putImage(store, attached);
    expect(await store.manifest(descriptor.digest)).toBeUndefined();
    expect(await all(store.referrers(descriptor.digest))).toEqual([attached.manifest.descriptor]);
  },
  "a tagged referrer is listed once": async ({ store, tag }) => {
    const { descriptor } = images.image("tagged twice").manifest;
    const attached = images.artifact("tagged", descriptor);
    await images.putImage(store, attached);
    await store.putManifest(attached.manifest, { tag: tag("one") });
    await store.putManifest(attached.manifest, { tag: tag("two") });
    expect(await all(store.referrers(descriptor.digest))).toEqual([attached.manifest.descriptor]);
  },
  "a referrer that is a child of an index is listed too": async ({ store, tag }) => {
    const { descriptor } = images.image("subject of a child").manifest;
    const child = images.image("child with subject", { subject: descriptor });
    await images.putImage(store, images.indexOf([child]), tag("v1"));
    expect(await all(store.referrers(descriptor.digest))).toEqual([child.manifest.descriptor]);
  },
  "a deleted referrer is not listed": async ({ store }) => {
    const { descriptor } = images.image("once signed").manifest;
    const [gone, kept] = [images.artifact("gone", descriptor), images.artifact("kept", descriptor)];
    for (const attached of [gone, kept]) await images.putImage(store, attached);
    await store.deleteManifest(gone.manifest.descriptor.digest);
    expect(await all(store.referrers(descriptor.digest))).toEqual([kept.manifest.descriptor]);
  },
};

const lifetime: Readonly<Record<string, Body>> = {
  "an aborted call is ABORTED": async ({ store, tag }) => {
    const made = images.image("aborted");
    await images.putImage(store, made, tag("v1"));
    const call = { signal: AbortSignal.abort() };
    const { digest } = made.manifest.descriptor;
    const other = images.randomBlob("other");
    await expectCode("ABORTED", () => store.head(tag("v1"), call));
    await expectCode("ABORTED", () => store.manifest(tag("v1"), call));
    await expectCode("ABORTED", () => store.size(made.blobs[0]!.descriptor.digest, call));
    await expectCode("ABORTED", async () => read(store, made.blobs[1]!.descriptor.digest, call));
    await expectCode("ABORTED", () => all(store.tags(call)));
    await expectCode("ABORTED", () => all(store.referrers(digest, call)));
    await expectCode("ABORTED", () => store.putBlob(other.descriptor, contentOf(other.bytes), call));
    await expectCode("ABORTED", () => store.putManifest(made.manifest, { ...call, tag: tag("v2") }));
    await expectCode("ABORTED", () => store.deleteTag(tag("v1"), call));
    await expectCode("ABORTED", () => store.deleteManifest(digest, call));
    await expectManifest(store, tag("v1"), made.manifest);
    expect(await store.size(other.descriptor.digest)).toBeUndefined();
  },
  "a put that is aborted under way is ABORTED and leaves nothing": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("aborted under way", 300_000);
    const controller = new AbortController();
    const content: Content = async () => abortAfter(bytes, controller);
    await expectCode("ABORTED", () => store.putBlob(descriptor, content, { signal: controller.signal }));
    expect(await store.size(descriptor.digest)).toBeUndefined();
    expect(await store.putBlob(descriptor, contentOf(bytes))).toBe("written");
  },
  "a blob's stream ends when the call is aborted": async ({ store }) => {
    const { descriptor, bytes } = images.randomBlob("aborted stream", 5 * 1024 * 1024);
    await store.putBlob(descriptor, contentOf(bytes));
    const controller = new AbortController();
    await expectCode("ABORTED", async () => {
      for await (const _ of await store.blob(descriptor.digest, { signal: controller.signal })) controller.abort();
    });
  },
  "flush may come at any time and again": async ({ store, tag }) => {
    await store.flush();
    await images.putImage(store, images.image("flushed"), tag("v1"));
    await store.flush();
    await store.flush();
  },
  "close may be called twice": async ({ store, tag }) => {
    await images.putImage(store, images.image("closed"), tag("v1"));
    await store.close();
    await store.close();
  },
  "a store that was never used can be closed": async ({ store }) => {
    await store.close();
  },
  "what was flushed is there when opened again": async ({ store, reopen, tag }) => {
    const made = [images.image("single"), images.twoPlatforms("index"), images.twoPlatforms("list", { docker: true })];
    for (const [i, each] of made.entries()) await images.putImage(store, each, tag(`v${i}`));
    await store.putManifest(made[0]!.manifest, { tag: tag("again") });
    const { descriptor } = made[1]!.manifest;
    const attached = images.artifact("attached", descriptor);
    await images.putImage(store, attached);
    await store.flush();
    await store.close();
    const anew = await reopen!();
    onTestFinished(() => anew.close());
    expect(await all(anew.tags())).toEqual(["again", "v0", "v1", "v2"].map(tag));
    await expectManifest(anew, tag("again"), made[0]!.manifest);
    for (const [i, each] of made.entries()) {
      await expectManifest(anew, tag(`v${i}`), each.manifest);
      for (const { manifest, blobs } of images.allOf(each)) {
        await expectManifest(anew, manifest.descriptor.digest, manifest);
        for (const { descriptor } of blobs) {
          expect(digestOf(await read(anew, descriptor.digest))).toBe(descriptor.digest);
          expect(await anew.size(descriptor.digest)).toBe(descriptor.size);
        }
      }
    }
    expect(await all(anew.referrers(descriptor.digest))).toEqual([attached.manifest.descriptor]);
  },
};

async function expectManifest(source: Source, ref: string, expected: Manifest): Promise<void> {
  const { mediaType, digest, size } = expected.descriptor;
  expect(await source.head(ref)).toMatchObject({ mediaType, digest, size });
  const found = await source.manifest(ref);
  expect(found && text(found)).toBe(text(expected));
  expect(found?.descriptor).toEqual(expected.descriptor);
  expect(found?.manifests).toEqual(expected.manifests);
  expect(found?.blobs).toEqual(expected.blobs);
  expect(found?.subject).toEqual(expected.subject);
}

async function refused(
  store: Store,
  blob: { readonly digest: Digest; readonly size?: number },
  content: Content,
): Promise<void> {
  await expectCode("UNVERIFIED", () => store.putBlob(blob, content));
  expect(await store.size(blob.digest)).toBeUndefined();
  await expectCode("BLOB_UNKNOWN", async () => read(store, blob.digest));
}

/** Expects a RegistryError of that code: a message alone is no promise. */
export async function expectCode(code: ErrorCode, act: () => Promise<unknown>): Promise<void> {
  const outcome = await act().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in outcome)) throw new Error(`nothing was thrown instead of ${code}`);
  if (!isRegistryError(outcome.error)) throw new Error(`no RegistryError instead of ${code}`, { cause: outcome.error });
  expect(outcome.error.code, outcome.error.message).toBe(code);
}

async function read(source: Source, digest: Digest, call?: { readonly signal: AbortSignal }): Promise<Uint8Array> {
  return collect(await source.blob(digest, call), 64 * 1024 * 1024);
}

/** Everything that an iterable yields. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* pieces(bytes: Uint8Array, size: number): ByteStream {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

/** Pieces in one buffer that is used again and again, as large blobs travel. */
async function* reusedBuffer(bytes: Uint8Array, size: number): ByteStream {
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.byteLength; at += size) {
    const piece = bytes.subarray(at, at + size);
    buffer.set(piece);
    yield buffer.subarray(0, piece.byteLength);
    buffer.fill(0xff);
  }
}

async function* broken(bytes: Uint8Array): ByteStream {
  yield bytes.subarray(0, bytes.byteLength / 2);
  throw new Error("the stream broke off");
}

async function* abortAfter(bytes: Uint8Array, controller: AbortController): ByteStream {
  yield bytes.subarray(0, 100_000);
  controller.abort();
  yield bytes.subarray(100_000);
}

function byDigest<T extends { readonly digest: Digest }>(items: readonly T[]): readonly T[] {
  return [...items].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

function text(manifest: Manifest): string {
  return Buffer.from(manifest.bytes).toString();
}
