import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { manifestLimit, parseManifest } from "../../../src/oci/manifest.ts";
import { manifestAccept } from "../../../src/oci/media-types.ts";
import { streamOf } from "../../../src/oci/stream.ts";
import { remoteStore } from "../../../src/store/remote/remote-store.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Res } from "../../../src/transport/transport.ts";
import { expectCode } from "../../contract/store.ts";
import type { Behaviour } from "../../support/fake-registry.ts";
import type { FaultRule } from "../../support/faults.ts";
import { image } from "../../support/images.ts";
import { instantClock } from "../../support/instant-clock.ts";
import { onRequest, openFake, type Opened } from "./setup.ts";

const { manifest } = image("one");
const { digest, mediaType, size } = manifest.descriptor;

async function openWithManifest(behaviour: Behaviour = {}, rules: readonly FaultRule[] = []): Promise<Opened> {
  const opened = openFake(behaviour, rules);
  await opened.store.putManifest(manifest, { tag: "v1" });
  opened.log();
  return opened;
}

function answering(status: number, headers: Record<string, string> = {}, body: Uint8Array | string = ""): Store {
  const answer = (): Res => ({ status, headers, body: streamOf(Buffer.from(body)) });
  return remoteStore({
    transport: async () => answer(),
    registry: "registry.example",
    repository: "app",
    clock: instantClock(),
  });
}

describe("head", () => {
  test("is one HEAD that accepts every manifest type", async () => {
    const { store, log, fake } = await openWithManifest();
    expect(await store.head("v1")).toEqual({ mediaType, digest, size });
    expect(log()).toEqual(["HEAD /v2/app/manifests/v1"]);
    expect(fake.requests.at(-1)!.headers["accept"]).toBe(manifestAccept);
  });

  test.each([
    ["has no digest", { digestHeader: "none" }],
    ["is refused with 405", { headManifest: 405 }],
    ["is refused with 403", { headManifest: 403 }],
  ] as const)("falls back to GET where it %s", async (_, behaviour) => {
    const { store, log } = await openWithManifest(behaviour);
    expect(await store.head("v1")).toMatchObject({ mediaType, digest, size });
    expect(log()).toEqual(["HEAD /v2/app/manifests/v1", "GET /v2/app/manifests/v1"]);
  });

  test("by digest needs no header", async () => {
    const { store, log } = await openWithManifest({ digestHeader: "none" });
    expect(await store.head(digest)).toEqual({ mediaType, digest, size });
    expect(log()).toHaveLength(1);
  });

  test("by digest does not believe a header that names another", async () => {
    const behaviour: Behaviour = {};
    const { store, log } = await openWithManifest(behaviour);
    behaviour.digestHeader = "wrong";
    expect(await store.head(digest)).toMatchObject({ digest });
    expect(log()).toEqual([`HEAD /v2/app/manifests/${digest}`, `GET /v2/app/manifests/${digest}`]);
  });
});

describe("what is not there is undefined", () => {
  test.each([
    ["with the registry's error", 404, JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "no" }] })],
    ["with an unknown repository", 404, JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: "no" }] })],
    ["with a proxy's page", 404, "<html><h1>404</h1></html>"],
    ["with nothing", 404, ""],
  ])("%s", async (_, status, body) => {
    expect(await answering(status, {}, body).head("v1")).toBeUndefined();
    expect(await answering(status, {}, body).manifest(digest)).toBeUndefined();
  });
});

describe("manifest", () => {
  test("is one GET, and its bytes stay as they are", async () => {
    const { store, log } = await openWithManifest();
    expect(Buffer.from((await store.manifest("v1"))!.bytes)).toEqual(Buffer.from(manifest.bytes));
    expect((await store.manifest(digest))?.descriptor).toEqual(manifest.descriptor);
    expect(log()).toEqual(["GET /v2/app/manifests/v1", `GET /v2/app/manifests/${digest}`]);
  });

  test("by digest with other bytes is UNVERIFIED", async () => {
    const { store } = await openWithManifest({}, [
      onRequest("GET", "manifests", { fault: "corrupt", on: "response", at: 20 }),
    ]);
    await expect(store.manifest(digest)).rejects.toMatchObject({ code: "UNVERIFIED", host: "registry.example" });
  });

  test("by tag whose digest header says otherwise is UNVERIFIED", async () => {
    const { store } = await openWithManifest();
    const wrong = answering(
      200,
      { "docker-content-digest": digestOf("other"), "content-type": mediaType },
      manifest.bytes,
    );
    await expectCode("UNVERIFIED", () => wrong.manifest("v1"));
    expect(await store.manifest("v1")).toBeDefined();
  });

  test("is named by the algorithm that the registry names it by", async () => {
    const sha512 = digestOf(manifest.bytes, "sha512");
    const found = await answering(
      200,
      { "docker-content-digest": sha512, "content-type": mediaType },
      manifest.bytes,
    ).manifest("v1");
    expect(found?.descriptor.digest).toBe(sha512);
  });

  test.each([
    ["announced", { "content-length": String(manifestLimit + 1) }, ""],
    ["sent", {}, Buffer.alloc(manifestLimit + 1)],
  ])("of more than 4 MiB, %s, is TOO_LARGE", async (_, headers, body) => {
    await expectCode("TOO_LARGE", () => answering(200, headers, body).manifest("v1"));
  });

  test("that is none says so and where", async () => {
    await expect(answering(200, { "content-type": "text/plain" }, "log in").manifest("v1")).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      message: expect.stringContaining("registry.example/app"),
    });
  });

  test("that is a web page is not the registry's", async () => {
    const page = answering(200, { "content-type": "text/html" }, "<html><title>Log in</title></html>");
    await expect(page.manifest("v1")).rejects.toMatchObject({
      code: "NETWORK",
      message: 'cannot read manifest v1 of registry.example/app: registry.example answered with a web page, "Log in"',
      hint: expect.stringContaining("a network that wants a login"),
    });
  });

  test.each([
    { fault: "drop", on: "response", at: 30 },
    { fault: "truncate", at: 30 },
  ] as const)("is fetched again after %o", async (fault) => {
    const { store, log } = await openWithManifest({}, [onRequest("GET", "manifests", fault, 1)]);
    expect(await store.manifest("v1")).toBeDefined();
    expect(log()).toHaveLength(2);
  });

  test.each([0, 1])("is fetched again %i times where that is how often", async (retries) => {
    const cut = onRequest("GET", "manifests", { fault: "truncate", at: 30 });
    const { again, log } = await openWithManifest({}, [cut]);
    await expectCode("NETWORK", () => again(retries).manifest("v1"));
    expect(log()).toHaveLength(1 + retries);
  });

  test("a reference that would lead elsewhere is INVALID", async () => {
    const { store, log } = openFake();
    for (const ref of ["../../_catalog", "a?b", "", "sha256:abc", "a/b"])
      await expectCode("INVALID", () => store.manifest(ref));
    expect(log()).toEqual([]);
  });
});

describe("putManifest", () => {
  test("is one PUT, by tag where there is one", async () => {
    const { store, log, fake } = openFake();
    await store.putManifest(manifest);
    await store.putManifest(manifest, { tag: "v1" });
    expect(log()).toEqual([`PUT /v2/app/manifests/${digest}`, "PUT /v2/app/manifests/v1"]);
    expect(fake.requests[0]).toMatchObject({ headers: { "content-type": mediaType }, body: { size } });
  });

  test("of a sha512 digest with a tag names both", async () => {
    const { store, log, fake } = openFake();
    const long = parseManifest(manifest.bytes, { algorithm: "sha512" });
    await store.putManifest(long, { tag: "v1" });
    expect(log()).toEqual([`PUT /v2/app/manifests/${long.descriptor.digest}?tag=v1`]);
    expect(fake.repositories.get("app")!.tags.get("v1")).toBe(long.descriptor.digest);
  });

  test("notices a registry that stores something else", async () => {
    const { store } = openFake({ digestHeader: "wrong" });
    await expectCode("UNVERIFIED", () => store.putManifest(manifest, { tag: "v1" }));
  });

  test("does not send bytes that are not what they are said to be", async () => {
    const { store, log } = openFake();
    const lie = { ...manifest, descriptor: { ...manifest.descriptor, digest: digestOf("other") } };
    await expectCode("DIGEST_INVALID", () => store.putManifest(lie, { tag: "v1" }));
    expect(log()).toEqual([]);
  });

  test("passes the registry's refusal on", async () => {
    const body = JSON.stringify({ errors: [{ code: "DENIED", message: "tag is \u001b[31mimmutable\u0007" }] });
    await expect(answering(403, {}, body).putManifest(manifest, { tag: "v1" })).rejects.toMatchObject({
      code: "DENIED",
      status: 403,
      host: "registry.example",
      message:
        "cannot write manifest v1 to registry.example/app: registry.example answered 403 DENIED: tag is  [31mimmutable",
    });
  });
});
