import { describe, expect, test } from "vitest";
import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import { collect, streamOf } from "../../../src/oci/stream.ts";
import { RegistryError } from "../../../src/oci/error.ts";
import { artifactRegistry } from "../../../src/provider/artifact-registry/provider.ts";
import type { Deletion, ServiceRegistry } from "../../../src/provider/service.ts";
import type { Res, Transport } from "../../../src/transport/transport.ts";
import { serviceContext } from "../support.ts";

const host = "us-docker.pkg.dev";
const name = "p/r/app";
const type = "application/vnd.oci.image.manifest.v1+json";
const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 };

/** A manifest that differs from others by its name alone. */
const bytesOf = (label: string): Buffer =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, config: empty, layers: [], annotations: { label } }));
const labels = ["index", "amd64", "arm64", "signature", "alone", "none"] as const;
const [index, amd64, arm64, signature, alone, none] = labels.map((label) => digestOf(bytesOf(label))) as [
  Digest,
  Digest,
  Digest,
  Digest,
  Digest,
  Digest,
];

/** A manifest, its tags, and the manifests that may not go before it: its index's children, or its subject. */
interface Held {
  readonly tags: string[];
  readonly holds: readonly string[];
  readonly isIndex?: boolean;
  readonly isImmutable?: boolean;
}

/**
 * A registry that refuses as Google's does: GOOGLE_MANIFEST_DANGLING_TAG, _PARENT_IMAGE and _REFERRING_MANIFEST, of which
 * https://github.com/GoogleCloudPlatform/gcr-cleaner/blob/main/pkg/gcrcleaner/cleaner.go tells.
 */
function strict(): { readonly held: Map<string, Held>; readonly asked: string[]; readonly transport: Transport } {
  const held = new Map<string, Held>([
    [amd64, { tags: [], holds: [] }],
    [arm64, { tags: ["arm"], holds: [] }],
    [index, { tags: ["v1", "latest"], holds: [amd64, arm64], isIndex: true }],
    [signature, { tags: [], holds: [index] }],
    [alone, { tags: ["fixed"], holds: [], isImmutable: true }],
  ]);
  const asked: string[] = [];
  const find = (ref: string): string | undefined =>
    held.has(ref) ? ref : held.entries().find(([, { tags }]) => tags.includes(ref))?.[0];
  const refused = (code: string, message: string): readonly [number, unknown] => [400, { errors: [{ code, message }] }];
  const remove = (ref: string): readonly [number, unknown] => {
    const digest = find(ref);
    if (digest === undefined) return [404, { errors: [{ code: "MANIFEST_UNKNOWN", message: "not found" }] }];
    const { tags, isImmutable } = held.get(digest)!;
    if (ref !== digest) {
      if (isImmutable) return refused("DENIED", "the tag is immutable");
      tags.splice(tags.indexOf(ref), 1);
      return [202, ""];
    }
    const [tag] = tags;
    if (tag) return refused("GOOGLE_MANIFEST_DANGLING_TAG", `Manifest is still referenced by tag: ${tag}`);
    const parent = held.entries().find(([, { holds }]) => holds.includes(digest));
    if (parent) {
      const code = parent[1].isIndex ? "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE" : "GOOGLE_MANIFEST_REFERRING_MANIFEST";
      return refused(code, `Manifest is still referenced by parent manifest: ${parent[0]}`);
    }
    held.delete(digest);
    return [202, ""];
  };
  const list = (): unknown => ({
    child: [],
    tags: held
      .values()
      .flatMap(({ tags }) => tags)
      .toArray(),
    manifest: Object.fromEntries(
      held.entries().map(([digest, { tags, isIndex }]) => {
        const kind = isIndex ? "index" : "manifest";
        return [digest, { tag: tags, mediaType: `application/vnd.oci.image.${kind}.v1+json` }];
      }),
    ),
  });
  const put = (tag: string, bytes: Uint8Array): readonly [number, unknown] => {
    held.get(digestOf(bytes))!.tags.push(tag);
    return [201, ""];
  };
  return {
    held,
    asked,
    async transport({ method, url, body }) {
      const ref = /\/manifests\/(.*)$/.exec(url.pathname)?.[1] ?? "";
      asked.push(`${method} ${ref}`);
      const json = ([status, value]: readonly [number, unknown]): Res => ({
        status,
        headers: {},
        body: streamOf(Buffer.from(JSON.stringify(value))),
      });
      if (method === "DELETE") return json(remove(ref));
      if (method === "PUT") return json(put(ref, await collect(await body!.open(), 1 << 20)));
      if (ref === "") return json([200, list()]);
      const digest = find(ref);
      const bytes = bytesOf(labels.find((label) => digestOf(bytesOf(label)) === digest) ?? "");
      const headers = {
        "content-type": type,
        "docker-content-digest": digest ?? "",
        "content-length": `${bytes.length}`,
      };
      return digest
        ? { status: 200, headers, body: method === "HEAD" ? streamOf() : streamOf(bytes) }
        : json([404, {}]);
    },
  };
}

const connect = (transport: Transport): Promise<ServiceRegistry> =>
  artifactRegistry.connect(serviceContext(host, { transport }));
const outcomes = (deletions: readonly Deletion[]): Readonly<Record<string, string>> =>
  Object.fromEntries(deletions.map(({ digest, outcome }) => [digest, outcome]));

describe("manifests", () => {
  test("go with their tags, whatever the order they are named in: what needs others first", async () => {
    const registry = strict();
    const service = await connect(registry.transport);
    const deletions = await Array.fromAsync(
      service.deleteManifests(name, [amd64, arm64, index, signature, none, amd64]),
    );
    expect(outcomes(deletions)).toEqual({
      [amd64]: "deleted",
      [arm64]: "deleted",
      [index]: "deleted",
      [signature]: "deleted",
      [none]: "absent",
    });
    expect(deletions.find(({ digest }) => digest === index)?.tags).toEqual(["v1", "latest"]);
    expect([...registry.held.keys()]).toEqual([alone]);
    expect(registry.asked.filter((request) => request === "GET ")).toHaveLength(1);
  });

  test("that something else needs, or whose tag may not go, stay, with the reason; the others go", async () => {
    const registry = strict();
    const service = await connect(registry.transport);
    const deletions = await Array.fromAsync(service.deleteManifests(name, [amd64, alone, signature]));
    expect(outcomes(deletions)).toEqual({ [amd64]: "failed", [alone]: "failed", [signature]: "deleted" });
    const errorOf = (digest: string): unknown => deletions.find((one) => one.digest === digest)?.error;
    expect(errorOf(amd64)).toMatchObject({
      message: expect.stringContaining(index) as unknown,
      hint: "delete what needs it first: tags, then indexes, then their images",
    });
    expect(errorOf(alone)).toMatchObject({ message: expect.stringContaining("immutable") as unknown });
  });

  test("that have to stay keep their tags", async () => {
    const registry = strict();
    const service = await connect(registry.transport);
    expect(outcomes(await Array.fromAsync(service.deleteManifests(name, [arm64])))).toEqual({ [arm64]: "failed" });
    expect(registry.asked).toContain("DELETE arm");
    expect(registry.held.get(arm64)?.tags).toEqual(["arm"]);
    const reads: Transport = async (request) => {
      if (request.method === "PUT") throw new RegistryError("DENIED", "no pushing");
      return registry.transport(request);
    };
    const store = (await connect(reads)).repository(name);
    await expect(store.deleteManifest(arm64)).rejects.toMatchObject({ hint: "it has lost these tags: arm" });
  });

  test("are not asked about for ever where two hold each other", async () => {
    const registry = strict();
    registry.held.set(alone, { tags: [], holds: [amd64] });
    registry.held.set(amd64, { tags: [], holds: [alone] });
    const service = await connect(registry.transport);
    expect(outcomes(await Array.fromAsync(service.deleteManifests(name, [alone, amd64])))).toEqual({
      [alone]: "failed",
      [amd64]: "failed",
    });
  });
});

test("a manifest of a store goes with its tags, as stores promise; one without tags takes one request", async () => {
  const registry = strict();
  const store = (await connect(registry.transport)).repository(name);
  await store.deleteManifest(signature);
  expect(registry.asked.filter((request) => request.startsWith("DELETE"))).toHaveLength(1);
  await store.deleteManifest(index);
  expect(registry.held.has(index)).toBe(false);
  await expect(store.deleteManifest(index)).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN" });
  await expect(store.deleteManifest(alone)).rejects.toThrow(/immutable/);
});

test("a tag goes alone", async () => {
  const registry = strict();
  const service = await connect(registry.transport);
  await service.deleteTag(name, "v1");
  expect(registry.held.get(index)?.tags).toEqual(["latest"]);
  await expect(service.deleteTag(name, "v1")).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN" });
});

test("a tag that moved on to another image since it was listed stays where it is", async () => {
  const registry = strict();
  const moving: Transport = async (request) => {
    const answer = await registry.transport(request);
    if (request.url.pathname.endsWith("/tags/list")) {
      registry.held.get(index)!.tags.splice(0, 2);
      registry.held.get(signature)!.tags.push("v1", "latest");
    }
    return answer;
  };
  const service = await connect(moving);
  await Array.fromAsync(service.deleteManifests(name, [index]));
  expect(registry.held.get(signature)?.tags).toEqual(["v1", "latest"]);
});
