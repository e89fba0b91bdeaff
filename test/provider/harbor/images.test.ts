import { describe, expect, test } from "vitest";
import { harbor } from "../../../src/provider/harbor/provider.ts";
import { serviceContext } from "../support.ts";
import { api, failure, harborOf, listing, source, swagger } from "./support.ts";

const digest = (character: string): `sha256:${string}` => `sha256:${character.repeat(64)}`;
const artifacts = `${api}/projects/lib/repositories/team%252Fapp/artifacts`;
const query = "page_size=100&with_tag=true&with_immutable_status=true&with_accessory=true&page=1";

describe("images are listed", () => {
  const list = async (...answer: readonly unknown[]) => {
    const { service } = await harborOf([{ page: swagger, url: `${artifacts}?${query}`, answer }]);
    return Array.fromAsync(service.images("lib/team/app"));
  };

  test("with tags, times, platform and size", async () => {
    const image = {
      id: 1,
      type: "IMAGE",
      media_type: "application/vnd.oci.image.config.v1+json",
      manifest_media_type: "application/vnd.oci.image.manifest.v1+json",
      artifact_type: "application/vnd.oci.image.config.v1+json",
      digest: digest("a"),
      size: 1234,
      push_time: "2024-06-01T10:00:00.000Z",
      pull_time: "2024-06-02T10:00:00.000Z",
      extra_attrs: { architecture: "arm", variant: "v7", os: "linux", created: "1970-01-01T00:00:00Z" },
      references: null,
      tags: [
        { name: "v1", immutable: true },
        { name: "latest", immutable: false },
        { name: "no tag\u001b", immutable: false },
      ],
    };
    expect(await list(image)).toEqual([
      {
        digest: digest("a"),
        tags: ["v1", "latest"],
        pushed: "2024-06-01T10:00:00.000Z",
        pulled: "2024-06-02T10:00:00.000Z",
        created: "1970-01-01T00:00:00.000Z",
        size: 1234,
        sizeKind: "manifest",
        platforms: ["linux/arm/v7"],
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        immutable: true,
      },
    ]);
  });

  test("of several platforms, with children and what is attached; never pulled is no time", async () => {
    const index = {
      id: 2,
      manifest_media_type: "application/vnd.oci.image.index.v1+json",
      digest: digest("b"),
      size: 99,
      push_time: "2024-06-01T10:00:00.000Z",
      pull_time: "0001-01-01T00:00:00.000Z",
      tags: null,
      references: [
        { child_digest: digest("c"), platform: { os: "linux", architecture: "amd64" } },
        { child_digest: digest("d"), platform: { os: "unknown", architecture: "unknown" } },
      ],
      accessories: [
        {
          digest: digest("e"),
          subject_artifact_digest: digest("b"),
          type: "signature.cosign",
          size: 7,
          creation_time: "2024-06-01T11:00:00.000Z",
        },
        { digest: "no digest", subject_artifact_digest: digest("b") },
      ],
    };
    expect(await list(index)).toEqual([
      {
        digest: digest("b"),
        tags: [],
        pushed: "2024-06-01T10:00:00.000Z",
        size: 99,
        sizeKind: "children, shared counted twice",
        platforms: ["linux/amd64"],
        mediaType: "application/vnd.oci.image.index.v1+json",
        children: [digest("c"), digest("d")],
      },
      {
        digest: digest("e"),
        tags: [],
        subject: digest("b"),
        pushed: "2024-06-01T11:00:00.000Z",
        size: 7,
        sizeKind: "manifest",
      },
    ]);
  });

  test("without what is hostile", async () => {
    const hostile = {
      digest: digest("f"),
      push_time: "yesterday",
      size: -1,
      tags: "v1",
      references: {},
      extra_attrs: [],
    };
    expect(await list(hostile, { digest: "sha256:short" }, null, "text", 7)).toEqual([
      { digest: digest("f"), tags: [] },
    ]);
  });

  test("type and all for what is no image", async () => {
    const chart = { digest: digest("1"), artifact_type: "application/vnd.cncf.helm.config.v1+json" };
    expect(await list(chart)).toMatchObject([{ artifactType: "application/vnd.cncf.helm.config.v1+json" }]);
  });

  test("by one request for each hundred, the first after one", async () => {
    const { transport, asked } = listing(450, (index) => ({
      id: index,
      digest: `sha256:${index.toString(16).padStart(64, "0")}`,
      tags: [{ name: `v${index}` }],
    }));
    const service = await harbor.connect(serviceContext("harbor.example", { transport }));
    const images = service.images("lib/app")[Symbol.asyncIterator]();
    await images.next();
    expect(asked).toHaveLength(1);
    expect(await Array.fromAsync({ [Symbol.asyncIterator]: () => images })).toHaveLength(449);
    expect(asked).toHaveLength(5);
  });

  test("of no repository that is not there", async () => {
    const { service } = await harborOf([
      { page: swagger, url: `${artifacts}?${query}`, status: 404, answer: failure("NOT_FOUND", "") },
    ]);
    await expect(Array.fromAsync(service.images("lib/team/app"))).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
  });
});

describe("deleting", () => {
  const page = `${source}/server/v2.0/handler/artifact.go`;

  test("a tag takes the tag alone, also through the repository's store", async () => {
    const url = `${artifacts}/v1/tags/v1`;
    const { service, asked } = await harborOf([{ page, method: "DELETE", url }]);
    await service.deleteTag("lib/team/app", "v1");
    await service.repository("lib/team/app").deleteTag("v1");
    expect(asked).toEqual([`DELETE ${url}`, `DELETE ${url}`]);
  });

  test("manifests tells of each how it went, in their order", async () => {
    const exchange = (character: string, status: number, code: string, message: string) => ({
      page,
      method: "DELETE" as const,
      url: `${artifacts}/${digest(character)}`,
      status,
      ...(status !== 200 && { answer: failure(code, message) }),
    });
    const { service, asked } = await harborOf([
      exchange("a", 200, "", ""),
      exchange("b", 404, "NOT_FOUND", "artifact not found"),
      exchange("c", 412, "PRECONDITION", "the tag v1 configured as immutable, cannot be deleted"),
      exchange("d", 412, "VIOLATE_FOREIGN_KEY_CONSTRAINT", "the deleting artifact is referenced by others"),
    ]);
    const outcomes = await Array.fromAsync(
      service.deleteManifests("lib/team/app", [digest("a"), digest("b"), digest("c"), digest("d")]),
    );
    expect(outcomes).toMatchObject([
      { digest: digest("a"), outcome: "deleted" },
      { digest: digest("b"), outcome: "absent" },
      { digest: digest("c"), outcome: "failed", error: { code: "CONFLICT" } },
      { digest: digest("d"), outcome: "failed", error: { code: "CONFLICT" } },
    ]);
    expect(asked).toHaveLength(4);
  });

  test("never addresses an artifact by its tag, which would take all of its tags", async () => {
    const { service, asked } = await harborOf([]);
    await expect(service.repository("lib/app").deleteManifest("v1" as `sha256:${string}`)).rejects.toMatchObject({
      code: "INVALID",
    });
    expect(asked).toEqual([]);
  });
});
