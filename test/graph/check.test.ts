import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { buildManifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { check, type CheckResult } from "../../src/graph/check.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { Source } from "../../src/store/store.ts";
import * as images from "../support/images.ts";
import { damaged, type Damage } from "./damaged.ts";

const digestTag = ({ manifest }: images.TestImage, suffix: string): string =>
  `${manifest.descriptor.digest.replace(":", "-")}.${suffix}`;
const digestOf = ({ manifest }: images.TestImage): Digest => manifest.descriptor.digest;
const summary = ({ findings }: CheckResult): readonly string[] =>
  findings.map(({ path, kind, fault }) => `${path}: ${kind} ${fault}`).sort();

/** An index over two platforms, with an SBOM on the second image, a signature on that, and a digest tag on the index. */
async function graph(name = "host.example/app") {
  const store = memoryStore(name);
  const [amd64, arm64] = [
    images.image("amd64", { layers: 2 }),
    images.image("arm64", { platform: "linux/arm64", layers: 1 }),
  ];
  const index = images.indexOf([amd64, arm64]);
  const sbom = images.artifact("sbom", arm64.manifest.descriptor, { type: "application/spdx+json" });
  const signature = images.artifact("signature", sbom.manifest.descriptor, { type: "application/sig" });
  const cosign = images.image("cosign", { layers: 1 });
  await images.putImage(store, index, "v1");
  await images.putImage(store, sbom);
  await images.putImage(store, signature);
  await images.putImage(store, cosign, digestTag(index, "sig"));
  return { store, amd64, arm64, index, sbom, signature, cosign };
}

describe("check of what is whole", () => {
  test("finds nothing, and counts each digest once", async () => {
    const { store, index, sbom, signature, cosign } = await graph();
    const all = [...images.allOf(index), sbom, signature, cosign];
    const blobs = new Map(
      all.flatMap((one) => one.blobs).map(({ descriptor }) => [descriptor.digest, descriptor.size]),
    );
    const sizes = [...blobs.values(), ...all.map(({ manifest }) => manifest.descriptor.size)];
    for (const deep of [false, true]) {
      expect(await check(store, "v1", { deep })).toEqual({
        digest: digestOf(index),
        manifests: 6,
        blobs: blobs.size,
        bytes: sizes.reduce((sum, size) => sum + size, 0),
        findings: [],
        repaired: [],
      });
    }
    expect(await check(store, digestOf(index), { referrers: false })).toMatchObject({ manifests: 3, findings: [] });
  });

  test("leaves out layers that are not to be had from a registry", async () => {
    const store = memoryStore();
    const { blobs } = images.image("windows");
    const foreign = {
      ...images.randomBlob("foreign").descriptor,
      mediaType: mediaTypes.dockerForeignLayer,
      urls: ["https://host.example/x"],
    };
    const config = blobs[0]!.descriptor;
    const manifest = buildManifest({ mediaType: mediaTypes.dockerManifest, config, layers: [foreign] });
    await images.putImage(store, { manifest, blobs: [blobs[0]!], children: [] }, "v1");
    expect(await check(store, "v1")).toMatchObject({ blobs: 1, findings: [] });
  });

  test("asks for nothing twice", async () => {
    const { store } = await graph();
    const asked: string[] = [];
    const watched: Source = {
      ...store,
      manifest: (ref, call) => (asked.push(`manifest ${ref}`), store.manifest(ref, call)),
      size: (blob, call) => (asked.push(`size ${blob}`), store.size(blob, call)),
    };
    await check(watched, "v1");
    expect(asked).toHaveLength(new Set(asked).size);
  });
});

describe("check finds", () => {
  const manifestFaults: readonly Damage[] = ["missing", "corrupt", "unreadable"];
  test.each(manifestFaults)("a manifest that is %s, wherever it is", async (fault) => {
    const { store, amd64, sbom, cosign, index } = await graph();
    const places = [
      [amd64, "linux/amd64"],
      [sbom, "linux/arm64 > referrer application/spdx+json"],
      [cosign, digestTag(index, "sig")],
    ] as const;
    for (const [image, path] of places) {
      const { findings } = await check(damaged(store, [[digestOf(image), fault]]), "v1");
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({
        path,
        kind: "manifest",
        digest: digestOf(image),
        fault,
        message: expect.any(String),
      });
    }
  });

  test.each<Damage>(["missing", "size", "unreadable"])("a blob that is %s, wherever it is", async (fault) => {
    const { store, amd64, signature } = await graph();
    const places = [
      [amd64, 0, "linux/amd64 > config"],
      [amd64, 2, "linux/amd64 > layer 2"],
      [signature, 1, "linux/arm64 > referrer application/spdx+json > referrer application/sig > layer 1"],
    ] as const;
    for (const [image, at, path] of places) {
      const { digest } = image.blobs[at]!.descriptor;
      const { findings } = await check(damaged(store, [[digest, fault]]), "v1");
      expect(findings).toMatchObject([{ path, kind: "blob", digest, fault }]);
    }
  });

  test("a blob of wrong bytes only if it reads it", async () => {
    const { store, amd64 } = await graph();
    const { digest } = amd64.blobs[1]!.descriptor;
    const broken = damaged(store, [[digest, "corrupt"]]);
    expect(summary(await check(broken, "v1"))).toEqual([]);
    expect(await check(broken, "v1", { deep: true })).toMatchObject({
      findings: [{ path: "linux/amd64 > layer 1", fault: "corrupt", message: expect.stringContaining("is corrupt") }],
    });
  });

  test("all that is wrong, not only the first, and goes on below what can be read", async () => {
    const { store, amd64, arm64, sbom } = await graph();
    const faults = damaged(store, [
      [digestOf(amd64), "corrupt"],
      [arm64.blobs[0]!.descriptor.digest, "missing"],
      [arm64.blobs[1]!.descriptor.digest, "size"],
      [sbom.blobs[1]!.descriptor.digest, "missing"],
    ]);
    expect(summary(await check(faults, "v1"))).toEqual([
      "linux/amd64: manifest corrupt",
      "linux/arm64 > config: blob missing",
      "linux/arm64 > layer 1: blob size",
      "linux/arm64 > referrer application/spdx+json > layer 1: blob missing",
    ]);
    expect(summary(await check(faults, "v1", { referrers: false }))).toHaveLength(3);
  });

  test("a child that is not as long as its index says: clients refuse it", async () => {
    const { store, amd64 } = await graph();
    const { mediaType, digest, size } = amd64.manifest.descriptor;
    const manifest = buildManifest({
      mediaType: mediaTypes.ociIndex,
      manifests: [{ mediaType, digest, size: size + 1 }],
    });
    await store.putManifest(manifest, { tag: "lying" });
    expect(await check(store, "lying")).toMatchObject({
      findings: [
        {
          path: "manifest 1",
          kind: "manifest",
          fault: "size",
          message: `host.example/app@${digest} has ${size} bytes instead of ${size + 1}`,
        },
      ],
    });
  });

  test("a root that is broken, by tag and by digest; a tag of a manifest that is gone", async () => {
    const { store, index } = await graph();
    for (const ref of ["v1", digestOf(index)]) {
      const broken = damaged(store, [[digestOf(index), "corrupt"]]);
      expect(await check(broken, ref)).toMatchObject({
        digest: digestOf(index),
        manifests: 0,
        findings: [{ path: "", kind: "manifest", fault: "corrupt" }],
      });
    }
    const dangling = damaged(store, [[digestOf(index), "missing"]]);
    expect(await check(dangling, "v1")).toMatchObject({ findings: [{ path: "", kind: "manifest", fault: "missing" }] });
  });

  test("what is listed as a referrer and is not there", async () => {
    const { store, index } = await graph();
    const lost = images.artifact("lost", index.manifest.descriptor);
    const listing: Source = {
      ...store,
      async *referrers(subject, call) {
        if (subject === digestOf(index)) yield lost.manifest.descriptor;
        yield* store.referrers(subject, call);
      },
    };
    expect(summary(await check(listing, "v1"))).toEqual(["referrer application/vnd.example.thing: manifest missing"]);
  });
});

describe("check ends", () => {
  test("with an error where the root is at neither end", async () => {
    const { store } = await graph();
    const { digest } = images.image("nothing").manifest.descriptor;
    for (const ref of ["nothing", digest]) {
      const at = `${ref.includes(":") ? "@" : ":"}${ref}`;
      await expect(check(store, ref)).rejects.toMatchObject({
        code: "MANIFEST_UNKNOWN",
        message: `host.example/app${at} is not there`,
      });
      await expect(check(store, ref, { repairFrom: memoryStore("spare") })).rejects.toMatchObject({
        code: "MANIFEST_UNKNOWN",
        message: `host.example/app${at} is not there`,
      });
    }
  });

  test("with an error where a registry does not answer, and leaves nothing running", async () => {
    const { store, amd64 } = await graph();
    let running = 0;
    const shaky: Source = {
      ...store,
      async size(blob, call) {
        running += 1;
        try {
          if (blob === amd64.blobs[0]!.descriptor.digest) throw new RegistryError("UNAVAILABLE", "not now");
          await new Promise((resolve, reject) => {
            setTimeout(resolve, 5000).unref();
            call?.signal?.addEventListener("abort", () => reject(call.signal!.reason as Error));
          });
          return store.size(blob, call);
        } finally {
          running -= 1;
        }
      },
    };
    await expect(check(shaky, "v1")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(running).toBe(0);
  });

  test("at the caller's word", async () => {
    const { store } = await graph();
    await expect(check(store, "v1", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    const stop = new AbortController();
    const stopping: Source = { ...store, size: (blob, call) => (stop.abort(), store.size(blob, call)) };
    await expect(check(stopping, "v1", { signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("where something hangs on itself, however far round", async () => {
    const store = memoryStore();
    const [a, b] = [images.image("a"), images.image("b")];
    await images.putImage(store, a, "v1");
    await images.putImage(store, a, digestTag(a, "sig"));
    await images.putImage(store, b, digestTag(a, "att"));
    await images.putImage(store, a, digestTag(b, "att"));
    expect(await check(store, "v1", { deep: true })).toMatchObject({ manifests: 2, findings: [] });
  });

  test("where referrers never do", async () => {
    const store = memoryStore("host.example/app");
    const image = images.image("image");
    await images.putImage(store, image, "v1");
    let made = 0;
    const endless: Source = {
      ...store,
      async *referrers(subject) {
        const next = images.artifact(`${(made += 1)}`, { ...image.manifest.descriptor, digest: subject });
        await images.putImage(store, next);
        yield next.manifest.descriptor;
      },
    };
    await expect(check(endless, "v1")).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: expect.stringContaining("never ends"),
    });
    expect(made).toBeLessThan(12);
  });

  test("where indexes are nested more than eight deep", async () => {
    const store = memoryStore("host.example/app");
    const [eight, nine] = [images.nested("eight", 8), images.nested("nine", 9)];
    await images.putImage(store, eight, "eight");
    await images.putImage(store, nine, "nine");
    expect(await check(store, "eight")).toMatchObject({ manifests: 9, findings: [] });
    await expect(check(store, "nine")).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: expect.stringContaining("host.example/app:nine"),
    });
  });
});
