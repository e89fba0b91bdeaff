import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { parseManifest } from "../../src/oci/manifest.ts";
import { attachedTo, attachmentLimit, digestTags } from "../../src/graph/attachments.ts";
import { copier, type CopyResult } from "../../src/graph/copy.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { Source, Store } from "../../src/store/store.ts";
import * as images from "../support/images.ts";

const digestOf = ({ manifest }: images.TestImage): Digest => manifest.descriptor.digest;
const digestTag = (image: images.TestImage, suffix: string): string => `${digestOf(image).replace(":", "-")}.${suffix}`;
const copyOne = async (from: Source, to: Store): Promise<CopyResult> => {
  const [outcome] = await copier(from, [{ store: to }]).copy("v1", "v1");
  if (!outcome || "error" in outcome) throw outcome?.error;
  return outcome.result;
};

describe("digestTags", () => {
  test("sorts tags by what they hang on", async () => {
    const store = memoryStore();
    const image = images.image("image");
    const [sig, att, bare] = [digestTag(image, "sig"), digestTag(image, "att"), digestOf(image).replace(":", "-")];
    for (const tag of ["v1", sig, att, bare, sig.toUpperCase(), `x${sig}`]) await images.putImage(store, image, tag);
    const tags = await digestTags(store);
    expect(tags!.all.size).toBe(6);
    expect([...tags!.bySubject]).toEqual([[digestOf(image), [att, sig]]]);
  });

  test.each(["UNSUPPORTED", "DENIED", "UNAUTHORIZED", "NAME_UNKNOWN"] as const)(
    "does without where a registry answers %s",
    async (code) => {
      expect(
        await digestTags({ ...memoryStore(), tags: () => failing(new RegistryError(code, "no")) }),
      ).toBeUndefined();
    },
  );

  test("fails where a registry does not answer", async () => {
    const down = { ...memoryStore(), tags: () => failing(new RegistryError("UNAVAILABLE", "not now")) };
    await expect(digestTags(down)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("attachedTo", () => {
  test("names each referrer once, however often it is listed, and gives the known tags along", async () => {
    const store = memoryStore();
    const image = images.image("image");
    const sbom = images.artifact("sbom", image.manifest.descriptor);
    await images.putImage(store, image, "v1");
    await images.putImage(store, sbom);
    let known: ReadonlySet<string> | undefined;
    const twice: Source = {
      ...store,
      async *referrers(subject, call) {
        known = call?.knownTags;
        yield* store.referrers(subject, call);
        yield* store.referrers(subject, call);
      },
    };
    const tags = await digestTags(twice);
    expect(await attachedTo(twice, digestOf(image), tags)).toMatchObject([{ descriptor: { digest: digestOf(sbom) } }]);
    expect(known).toBe(tags!.all);
  });

  test("fails with what failed first, while the list is still being read", async () => {
    const image = images.image("image");
    const failingLate: Source = {
      ...memoryStore(),
      manifest: () => Promise.reject(new RegistryError("UNVERIFIED", "corrupt")),
      async *referrers() {
        yield images.artifact("one", image.manifest.descriptor).manifest.descriptor;
        await sleep(5);
        yield images.artifact("two", image.manifest.descriptor).manifest.descriptor;
      },
    };
    await expect(attachedTo(failingLate, digestOf(image), undefined)).rejects.toMatchObject({ code: "UNVERIFIED" });
  });

  test("stops a list without an end", async () => {
    const image = images.image("image");
    const { descriptor } = image.manifest;
    const endless: Source = {
      ...memoryStore("host.example/app"),
      async *referrers() {
        for (let i = 0; ; i++) yield { ...descriptor, digest: `sha256:${i.toString(16).padStart(64, "0")}` };
      },
    };
    await expect(attachedTo(endless, digestOf(image), undefined)).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: expect.stringContaining("never ends"),
    });
  });
});

describe("a copy", () => {
  /** A store with an image on which attachments hang in a chain. */
  async function chain(length: number): Promise<Store> {
    const store = memoryStore("host.example/app");
    let last = images.image("chained");
    await images.putImage(store, last, "v1");
    for (let i = 0; i < length; i++) {
      last = images.artifact(`link ${i}`, last.manifest.descriptor);
      await images.putImage(store, last);
    }
    return store;
  }

  test("carries attachments of attachments to a limit, and no further", async () => {
    expect(await copyOne(await chain(attachmentLimit), memoryStore())).toMatchObject({ referrers: attachmentLimit });
    await expect(copyOne(await chain(attachmentLimit + 1), memoryStore())).rejects.toMatchObject({
      code: "TOO_LARGE",
      side: "source",
    });
  });

  test("of what hangs on itself by tags ends, with the tags", async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    const [a, b] = [images.image("a"), images.image("b")];
    await images.putImage(from, a, "v1");
    const tags = [digestTag(a, "sig"), digestTag(a, "att"), digestTag(b, "att")];
    await images.putImage(from, a, tags[0]);
    await images.putImage(from, b, tags[1]);
    await images.putImage(from, a, tags[2]);
    expect(await copyOne(from, to)).toMatchObject({ digestTags: 3, referrers: 0 });
    expect(await Array.fromAsync(to.tags())).toEqual([...tags, "v1"].toSorted());
  });

  test("fails where a referrer is listed and not there, and says what to do", async () => {
    const from = memoryStore("host.example/app");
    const image = images.image("image");
    await images.putImage(from, image, "v1");
    const listing: Source = {
      ...from,
      async *referrers() {
        yield images.artifact("lost", image.manifest.descriptor).manifest.descriptor;
      },
    };
    await expect(copyOne(listing, memoryStore())).rejects.toMatchObject({
      code: "MANIFEST_UNKNOWN",
      side: "source",
      hint: expect.stringContaining("--no-referrers"),
    });
  });

  test("brings a referrer that is listed for everything once", async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    const index = images.twoPlatforms("index");
    const sbom = images.artifact("sbom", index.manifest.descriptor);
    await images.putImage(from, index, "v1");
    await images.putImage(from, sbom);
    const everywhere: Source = {
      ...from,
      async *referrers() {
        yield sbom.manifest.descriptor;
      },
    };
    expect(await copyOne(everywhere, to)).toMatchObject({ referrers: 1, manifests: 4 });
  });

  test("of a sha512 image asks for no tag that no registry could have", async () => {
    const from = memoryStore();
    const image = images.image("sha512");
    await images.putImage(from, image);
    await from.putManifest(parseManifest(image.manifest.bytes, { algorithm: "sha512" }), { tag: "v1" });
    const asked: string[] = [];
    const mute: Source = {
      ...from,
      manifest: (ref, call) => (asked.push(ref), from.manifest(ref, call)),
      tags: () => failing(new RegistryError("UNSUPPORTED", "no list")),
    };
    await copyOne(mute, memoryStore());
    expect(asked).toEqual(["v1"]);
  });
});

/** A list that cannot be had. */
async function* failing(error: Error): AsyncGenerator<never, void> {
  yield* [];
  throw error;
}
