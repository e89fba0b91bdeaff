import { describe, expect, test } from "vitest";
import { deleteInBatches, deleteOneTag } from "../../src/provider/aws/delete.ts";
import { instantClock } from "../support/instant-clock.ts";
import { fault, type AwsAnswers } from "./aws.ts";
import { ecrAnswers, lifecycleDocument, sha } from "./aws-answers.ts";
import { host, thrown, using } from "./ecr-registry.ts";

describe("immutability", () => {
  test.each([
    [{ tags: "mutable" }, { imageTagMutability: "MUTABLE" }],
    [{ tags: "immutable" }, { imageTagMutability: "IMMUTABLE" }],
    [
      { tags: "immutable", except: ["dev-*"] },
      {
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
      },
    ],
    [
      { tags: "mutable", except: ["v*"], patterns: "wildcard" },
      {
        imageTagMutability: "MUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "v*" }],
      },
    ],
  ] as const)("%j is set as one of the four modes", async (wanted, sent) => {
    const { service, calls } = await using({});
    await service.setImmutability("team/app", wanted);
    expect(calls.at(-1)!.request).toEqual({ registryId: "123456789012", repositoryName: "team/app", ...sent });
  });

  test.each([
    { tags: "immutable", except: ["a", "b", "c", "d", "e", "f"] },
    { tags: "immutable", except: ["a*b*c*"] },
    { tags: "immutable", except: ["a/b"] },
    { tags: "immutable", except: [""] },
    { tags: "immutable", except: ["v.*"], patterns: "regex" },
  ] as const)("%j is refused before anything is sent", async (wanted) => {
    const { service, calls } = await using({});
    expect(await thrown(service.setImmutability("team/app", wanted))).toMatchObject({ code: "INVALID" });
    expect(calls).toEqual([]);
  });
});

describe("lifecycle policies", () => {
  test("are read and set as JSON; none is none, also to delete", async () => {
    const none = { GetLifecyclePolicy: () => fault("LifecyclePolicyNotFoundException") };
    const { service } = await using(none);
    expect(await service.lifecycle("team/app")).toBeUndefined();
    const set = await using({});
    expect(await set.service.lifecycle("team/app")).toEqual({ dialect: "ecr", document: lifecycleDocument });
    await set.service.setLifecycle("team/app", lifecycleDocument);
    expect(JSON.parse(set.calls.at(-1)!.request["lifecyclePolicyText"] as string)).toEqual(lifecycleDocument);
    const gone = await using({ DeleteLifecyclePolicy: () => fault("LifecyclePolicyNotFoundException") });
    await gone.service.deleteLifecycle("team/app");
    expect(gone.calls).toHaveLength(1);
  });

  test("what is no policy is not sent", async () => {
    const { service, calls } = await using({});
    expect(await thrown(service.setLifecycle("team/app", "no"))).toMatchObject({ code: "INVALID" });
    expect(await thrown(Array.fromAsync(service.previewLifecycle("team/app", [])))).toMatchObject({ code: "INVALID" });
    expect(calls).toEqual([]);
  });

  test("a preview is waited for", async () => {
    let polls = 0;
    const clock = instantClock();
    const answer = (request: Readonly<Record<string, unknown>>): unknown =>
      polls++ < 3 ? { status: "IN_PROGRESS" } : ecrAnswers["GetLifecyclePolicyPreview"]!(request);
    const { service, calls } = await using({ GetLifecyclePolicyPreview: answer }, { clock });
    expect(await Array.fromAsync(service.previewLifecycle("team/app", lifecycleDocument))).toEqual([
      { digest: sha("c"), tags: [], pushed: "2020-09-13T12:26:40.000Z", action: "delete", rule: "rule 1" },
      { digest: sha("d"), tags: ["old"], action: "archive", rule: "rule 2" },
    ]);
    expect(clock.waits).toEqual([2000, 2000, 2000]);
    expect(calls[0]).toMatchObject({ operation: "StartLifecyclePolicyPreview" });
    expect(JSON.parse(calls[0]!.request["lifecyclePolicyText"] as string)).toEqual(lifecycleDocument);
  });

  test.each([
    ["FAILED", "UNAVAILABLE"],
    ["EXPIRED", "UNAVAILABLE"],
  ])("a preview that is %s says so", async (status, code) => {
    const { service } = await using({ GetLifecyclePolicyPreview: () => ({ status }) });
    expect(await thrown(Array.fromAsync(service.previewLifecycle("team/app")))).toMatchObject({ code });
  });

  test("a preview that never ends is given up", async () => {
    let now = 0;
    const clock = { ...instantClock(), now: () => (now += 100_000) };
    const { service } = await using({ GetLifecyclePolicyPreview: () => ({ status: "IN_PROGRESS" }) }, { clock });
    expect(await thrown(Array.fromAsync(service.previewLifecycle("team/app")))).toMatchObject({ code: "TIMEOUT" });
  });

  test("a preview while another is under way says to wait", async () => {
    const busy = { StartLifecyclePolicyPreview: () => fault("LifecyclePolicyPreviewInProgressException") };
    const { service } = await using(busy);
    expect(await thrown(Array.fromAsync(service.previewLifecycle("team/app")))).toMatchObject({ code: "CONFLICT" });
  });
});

describe("deleting", () => {
  test("a tag goes by its name, never by digest", async () => {
    const { service, calls } = await using({});
    await service.deleteTag("team/app", "v1");
    await service.repository("team/app").deleteTag("v2");
    expect(calls.map(({ request }) => request["imageIds"])).toEqual([[{ imageTag: "v1" }], [{ imageTag: "v2" }]]);
  });

  const failing = (failureCode: string): AwsAnswers => ({
    BatchDeleteImage: ({ imageIds }) => ({
      imageIds: [],
      failures: [
        { imageId: (imageIds as readonly unknown[])[0], failureCode, failureReason: `because of ${failureCode}` },
      ],
    }),
  });

  test.each([
    ["ImageNotFound", "MANIFEST_UNKNOWN"],
    ["InvalidImageTag", "INVALID"],
    ["KmsError", "DENIED"],
    ["UpstreamUnavailable", "UNAVAILABLE"],
    ["SomethingNew", "DENIED"],
  ])("a 200 with the failure %s is an error", async (failureCode, code) => {
    const { service } = await using(failing(failureCode));
    expect(await thrown(service.deleteTag("team/app", "v1"))).toMatchObject({ code, host });
  });

  test("one manifest that is not there is unknown, one that an index has says so", async () => {
    const absent = await using(failing("ImageNotFound"));
    const gone = absent.service.repository("team/app").deleteManifest(sha("a"));
    expect(await thrown(gone)).toMatchObject({ code: "MANIFEST_UNKNOWN" });
    const held = await using(failing("ImageReferencedByManifestList"));
    const kept = held.service.repository("team/app").deleteManifest(sha("a"));
    expect(await thrown(kept)).toMatchObject({ code: "CONFLICT", hint: expect.stringContaining("index") as string });
  });

  test("250 digests take three requests, and each is told of", async () => {
    const digests = Array.from({ length: 250 }, (_, i) => `sha256:${i.toString(16).padStart(64, "0")}` as const);
    const { service, calls } = await using({
      BatchDeleteImage: ({ imageIds }) => {
        const ids = imageIds as readonly { readonly imageDigest: string }[];
        const isEven = ({ imageDigest }: { imageDigest: string }): boolean => /[02468ace]$/.test(imageDigest);
        return {
          imageIds: ids.filter(isEven).map(({ imageDigest }) => ({ imageDigest, imageTag: "t" })),
          failures: ids
            .filter((id) => !isEven(id))
            .map((imageId) => ({ imageId, failureCode: "ImageNotFound", failureReason: "Requested image not found" })),
        };
      },
    });
    const deletions = await Array.fromAsync(service.deleteManifests("team/app", [...digests, digests[0]!]));
    expect(calls.map(({ request }) => (request["imageIds"] as unknown[]).length)).toEqual([100, 100, 50]);
    expect(deletions.map(({ digest }) => digest)).toEqual(digests);
    expect(deletions[0]).toEqual({ digest: digests[0], outcome: "deleted", tags: ["t"] });
    expect(deletions[1]).toEqual({ digest: digests[1], outcome: "absent" });
  });

  test("children that come before their index go after it", async () => {
    const there = new Set([sha("a"), sha("b"), sha("f")]);
    const batch = async (ids: readonly object[]): Promise<object> => {
      const failures: object[] = [];
      const imageIds: { imageDigest: string }[] = [];
      for (const { imageDigest } of ids as readonly { imageDigest: `sha256:${string}` }[]) {
        const isHeld = imageDigest !== sha("f") && there.has(sha("f"));
        if (isHeld) failures.push({ imageId: { imageDigest }, failureCode: "ImageReferencedByManifestList" });
        else if (there.delete(imageDigest)) imageIds.push({ imageDigest });
      }
      return { imageIds, failures };
    };
    const all = deleteInBatches(host, "team/app", [sha("a"), sha("b"), sha("f")], batch);
    expect((await Array.fromAsync(all)).map(({ digest, outcome }) => [digest, outcome])).toEqual([
      [sha("f"), "deleted"],
      [sha("a"), "deleted"],
      [sha("b"), "deleted"],
    ]);
  });

  test("what AWS tells nothing of is not said to be gone", async () => {
    const failures = [{ failureCode: "KmsError" }];
    const [deletion] = await Array.fromAsync(deleteInBatches(host, "team/app", [sha("a")], async () => ({ failures })));
    expect(deletion).toMatchObject({ digest: sha("a"), outcome: "failed" });
    await expect(deleteOneTag(host, "team/app", "v1", async () => ({}))).rejects.toThrow("AWS does not say why");
  });

  test("what is refused as a whole is told of each", async () => {
    const { service } = await using({ BatchDeleteImage: () => fault("AccessDeniedException") });
    const [deletion] = await Array.fromAsync(service.deleteManifests("team/app", [sha("a")]));
    expect(deletion).toMatchObject({ outcome: "failed", error: { code: "DENIED" } });
  });
});
