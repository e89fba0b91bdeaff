import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import type { Access } from "../../src/server/access.ts";
import type { ServerEvent } from "../../src/server/events.ts";
import { createRegistry } from "../../src/server/registry.ts";
import { diskStorage } from "../../src/server/storage/disk.ts";
import { memoryStorage } from "../../src/server/storage/memory.ts";
import type { Storage } from "../../src/server/storage/storage.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { imageManifest, pushBlob, pushImage, sender, testRegistry } from "./support.ts";

test("/v2/ says that this is a registry", async () => {
  const { send } = testRegistry();
  for (const path of ["/v2", "/v2/"]) {
    const { status, json, headers } = await send("GET", path);
    expect({ status, json }).toEqual({ status: 200, json: {} });
    expect(headers["docker-distribution-api-version"]).toBe("registry/2.0");
  }
});

test.each([
  ["POST", "app/blobs/uploads/"],
  ["POST", `app/blobs/uploads/?digest=${digestOf("x")}`],
  ["POST", `app/blobs/uploads/?mount=${digestOf("{}")}&from=app`],
  ["PATCH", "app/blobs/uploads/1"],
  ["PUT", `app/blobs/uploads/1?digest=${digestOf("x")}`],
  ["DELETE", "app/blobs/uploads/1"],
  ["DELETE", `app/blobs/${digestOf("{}")}`],
  ["PUT", "app/manifests/latest"],
  ["PUT", `app/manifests/${digestOf("x")}?tag=latest`],
  ["DELETE", "app/manifests/latest"],
  ["DELETE", `app/manifests/${digestOf("x")}`],
] as const)("read-only, it refuses %s %s", async (method, path) => {
  const opened = await memoryStorage().open();
  const storage: Storage = { open: async () => opened };
  await pushImage(testRegistry({ storage }).send, "app", "latest");
  const { send } = testRegistry({ storage, readOnly: true });
  const answer = await send(method, `/v2/${path}`, { body: "x" });
  expect(answer).toMatchObject({ status: 405, code: "UNSUPPORTED", headers: { allow: "GET, HEAD" } });
  expect(await send("GET", "/v2/app/manifests/latest")).toMatchObject({ status: 200 });
  expect(await send("HEAD", `/v2/app/blobs/${digestOf("{}")}`)).toMatchObject({ status: 200 });
});

test("it tells what happens, and to whom it is owed", async () => {
  const events: ServerEvent[] = [];
  const access: Access = { open: false, authorize: () => ({ allow: true, user: "ada" }) };
  const { send } = testRegistry({ access, onEvent: (event) => void events.push(event) });
  const { body, digest } = await imageManifest(send, "app");
  const layer = digestOf("a layer");
  await send("POST", `/v2/lib/blobs/uploads/?mount=${layer}&from=app`);
  await send("PUT", "/v2/app/manifests/v1?tag=v2", { body, headers: { "content-type": mediaTypes.ociManifest } });
  await send("DELETE", "/v2/app/manifests/v2");
  await send("DELETE", `/v2/app/manifests/${digest}`);
  await send("DELETE", `/v2/lib/blobs/${layer}`);
  const who = { repository: "app", user: "ada" };
  expect(events.filter(({ type }) => type !== "request")).toEqual([
    { type: "blob-pushed", digest: digestOf("{}"), size: 2, ...who },
    { type: "blob-pushed", digest: layer, size: 7, ...who },
    { type: "blob-mounted", digest: layer, size: 7, ...who, repository: "lib" },
    {
      type: "manifest-pushed",
      digest,
      size: body.length,
      mediaType: mediaTypes.ociManifest,
      tags: ["v1", "v2"],
      ...who,
    },
    { type: "tag-deleted", tag: "v2", ...who },
    { type: "manifest-deleted", digest, ...who },
    { type: "blob-deleted", digest: layer, ...who, repository: "lib" },
  ]);
  expect(events.at(-1)).toEqual({
    type: "request",
    method: "DELETE",
    target: `/v2/lib/blobs/${layer}`,
    status: 202,
    milliseconds: expect.any(Number),
    user: "ada",
  });
});

test("a failure inside is 500 without a word of it, and an event with all of it", async () => {
  const events: ServerEvent[] = [];
  const error = new Error("the secret path is /srv/data");
  const opened = await memoryStorage().open();
  const metadata = {
    ...opened.metadata,
    manifest: () => {
      throw error;
    },
  };
  const { send } = testRegistry({
    storage: { open: async () => ({ ...opened, metadata }) },
    onEvent: (event) => void events.push(event),
  });
  const answer = await send("GET", "/v2/app/manifests/v1");
  expect(answer).toMatchObject({ status: 500, code: "UNKNOWN" });
  expect(answer.text).not.toContain("secret");
  expect(events).toContainEqual({ type: "failed", method: "GET", target: "/v2/app/manifests/v1", error });
});

test("a storage that does not open fails the request, and is tried again by the next", async () => {
  let attempts = 0;
  const storage: Storage = {
    async open() {
      if (attempts++ === 0) throw new Error("not mounted yet");
      return memoryStorage().open();
    },
  };
  const registry = createRegistry({ storage });
  await expect(registry.listen()).rejects.toThrow("not mounted yet");
  const { url } = await registry.listen();
  expect((await fetch(`${url}/v2/`)).status).toBe(200);
  await registry.close();
});

test("closing it again does nothing, and who asks later opens it anew", async () => {
  const folder = await temporaryDirectory();
  const registry = createRegistry({ storage: diskStorage(folder) });
  const digest = await pushBlob(sender(registry.transport), "app", "x");
  await registry.close();
  await registry.close();
  const { url } = await registry.listen();
  expect((await fetch(`${url}/v2/app/blobs/${digest}`)).status).toBe(200);
  await Promise.all([registry.close(), registry.close()]);
});

test("the limit of manifests can be set", async () => {
  const { send } = testRegistry({ limits: { manifest: 300 } });
  const { body, mediaType } = await imageManifest(send, "app");
  const put = { body, headers: { "content-type": mediaType } };
  expect(await send("PUT", "/v2/app/manifests/v1", put)).toMatchObject({ status: 413 });
});

test("a request that is aborted already does nothing", async () => {
  const { transport, send } = testRegistry();
  const digest = await pushBlob(send, "app", "x");
  const url = new URL(`http://registry.test/v2/app/blobs/${digest}`);
  const request = { method: "DELETE", url, headers: {}, signal: AbortSignal.abort() } as const;
  await expect(transport(request)).rejects.toMatchObject({ code: "ABORTED" });
  expect(await sender(transport)("HEAD", url.pathname)).toMatchObject({ status: 200 });
});
