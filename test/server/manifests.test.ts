import { describe, expect, test } from "vitest";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { imageManifest, pushBlob, pushImage, testRegistry, type Answer, type Send } from "./support.ts";

const put = (
  send: Send,
  ref: string,
  body: string | object | Uint8Array,
  mediaType: string = mediaTypes.ociManifest,
): Promise<Answer> =>
  send("PUT", `/v2/app/manifests/${ref}`, { body, headers: mediaType === "" ? {} : { "content-type": mediaType } });
const head = (send: Send, ref: string): Promise<Answer> => send("HEAD", `/v2/app/manifests/${ref}`);

describe("a manifest", () => {
  test("is kept to the byte, and read by tag and by digest", async () => {
    const { send } = testRegistry();
    const { body } = await imageManifest(send, "app");
    const spaced = `${body.replaceAll(",", " ,\n\t")} \n`;
    const digest = digestOf(spaced);
    const pushed = await put(send, "v1", spaced, `${mediaTypes.ociManifest}; charset=utf-8`);
    expect(pushed.status).toBe(201);
    expect(pushed.headers).toMatchObject({ location: `/v2/app/manifests/${digest}`, "docker-content-digest": digest });
    for (const ref of ["v1", digest]) {
      const got = await send("GET", `/v2/app/manifests/${ref}`);
      expect(got).toMatchObject({ status: 200, text: spaced });
      const headers = {
        "content-type": mediaTypes.ociManifest,
        "docker-content-digest": digest,
        "content-length": String(spaced.length),
      };
      expect(got.headers).toMatchObject(headers);
      expect(await head(send, ref)).toMatchObject({ status: 200, text: "", headers });
    }
  });

  test("may be named by its sha512", async () => {
    const { send } = testRegistry();
    const { body } = await imageManifest(send, "app");
    const digest = digestOf(body, "sha512");
    expect(await put(send, digest, body)).toMatchObject({ status: 201, headers: { "docker-content-digest": digest } });
    expect(await send("GET", `/v2/app/manifests/${digest}`)).toMatchObject({ status: 200, text: body });
    expect(await put(send, digestOf("x", "sha512"), body)).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
  });

  test("with another digest is refused", async () => {
    const { send } = testRegistry();
    const { body } = await imageManifest(send, "app");
    expect(await put(send, digestOf("else"), body)).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    expect(await head(send, digestOf(body))).toMatchObject({ status: 404 });
  });

  test("gets several tags at once", async () => {
    const { send } = testRegistry();
    const { body, digest } = await imageManifest(send, "app");
    const tags = Array.from({ length: 12 }, (_, i) => `t${i}`);
    const pushed = await put(send, `${digest}?${tags.map((tag) => `tag=${tag}`).join("&")}`, body);
    expect(pushed).toMatchObject({ status: 201, headers: { "oci-tag": tags.join(", ") } });
    for (const tag of tags)
      expect(await head(send, tag)).toMatchObject({ headers: { "docker-content-digest": digest } });
  });

  test("gets none of its tags if one is wrong, or if they are too many", async () => {
    const { send } = testRegistry();
    const { body, digest } = await imageManifest(send, "app");
    expect(await put(send, `${digest}?tag=good&tag=-bad`, body)).toMatchObject({ status: 400 });
    const many = Array.from({ length: 101 }, (_, i) => `tag=t${i}`).join("&");
    expect(await put(send, `${digest}?${many}`, body)).toMatchObject({ status: 414 });
    expect(await head(send, "good")).toMatchObject({ status: 404 });
  });

  test("moves a tag", async () => {
    const { send } = testRegistry();
    const first = await pushImage(send, "app", "latest");
    const second = await pushImage(send, "app", "latest", { annotations: { build: "2" } });
    expect(await head(send, "latest")).toMatchObject({ headers: { "docker-content-digest": second } });
    expect(await head(send, first)).toMatchObject({ status: 200 });
  });

  test("is not sent again to who has it", async () => {
    const { send } = testRegistry();
    const digest = await pushImage(send, "app", "latest");
    const headers = { "if-none-match": `W/"x", "${digest}"` };
    expect(await send("GET", "/v2/app/manifests/latest", { headers })).toMatchObject({ status: 304, text: "" });
  });

  test("is unknown where it was not pushed", async () => {
    const { send } = testRegistry();
    const digest = await pushImage(send, "app", "latest");
    for (const path of [
      `other/manifests/${digest}`,
      "other/manifests/latest",
      "app/manifests/v2",
      `app/manifests/${digestOf("x")}`,
    ]) {
      expect(await send("GET", `/v2/${path}`)).toMatchObject({ status: 404, code: "MANIFEST_UNKNOWN" });
      expect(await send("DELETE", `/v2/${path}`)).toMatchObject({ status: 404, code: "MANIFEST_UNKNOWN" });
    }
  });
});

describe("what a manifest needs", () => {
  test("must be there: config, layers, children", async () => {
    const { send } = testRegistry();
    const { body } = await imageManifest(send, "app");
    const absent = digestOf("absent");
    const image = JSON.parse(body) as { config: object; layers: object[] };
    const descriptor = { digest: absent, size: 6 };
    const bodies = [
      { ...image, config: { mediaType: mediaTypes.ociConfig, ...descriptor } },
      { ...image, layers: [...image.layers, { mediaType: mediaTypes.ociLayer, ...descriptor }] },
    ];
    for (const wrong of bodies)
      expect(await put(send, "v1", wrong)).toMatchObject({ status: 400, code: "MANIFEST_BLOB_UNKNOWN" });
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [{ mediaType: mediaTypes.ociManifest, ...descriptor }],
    };
    expect(await put(send, "v1", index, mediaTypes.ociIndex)).toMatchObject({
      status: 400,
      code: "MANIFEST_BLOB_UNKNOWN",
    });
    expect(await head(send, "v1")).toMatchObject({ status: 404 });
    const sparse = testRegistry({ sparse: true });
    expect(await put(sparse.send, "v1", index, mediaTypes.ociIndex)).toMatchObject({ status: 201 });
    expect(await put(sparse.send, "v1", bodies[1]!)).toMatchObject({ status: 201 });
  });

  test("must be in this repository", async () => {
    const { send } = testRegistry();
    const { body } = await imageManifest(send, "other");
    expect(await put(send, "v1", body)).toMatchObject({ status: 400, code: "MANIFEST_BLOB_UNKNOWN" });
  });

  test("may be a foreign layer elsewhere, or a subject that comes later", async () => {
    const { send } = testRegistry();
    const descriptor = { digest: digestOf("elsewhere"), size: 9 };
    const layers = [
      { mediaType: mediaTypes.dockerForeignLayer, urls: ["https://example.test/layer"], ...descriptor },
      { mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", ...descriptor },
    ];
    const subject = { mediaType: mediaTypes.ociManifest, digest: digestOf("later"), size: 5 };
    const { body } = await imageManifest(send, "app", { layers, subject });
    expect(await put(send, "v1", body)).toMatchObject({ status: 201, headers: { "oci-subject": subject.digest } });
  });

  test("may be blobs in an index, as build caches have them", async () => {
    const { send } = testRegistry();
    const layer = await pushBlob(send, "app", "cached layer");
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [{ mediaType: mediaTypes.ociLayerGzip, digest: layer, size: 12 }],
    };
    expect(await put(send, "cache", index, mediaTypes.ociIndex)).toMatchObject({ status: 201 });
  });

  test("must have the size it says", async () => {
    const { send } = testRegistry();
    const { body } = await imageManifest(send, "app");
    expect(await put(send, "v1", body.replace('"size":7', '"size":8'))).toMatchObject({
      status: 400,
      code: "SIZE_INVALID",
    });
  });
});

const shapes: Readonly<Record<string, (image: string) => string | Uint8Array>> = {
  "no JSON": () => "{",
  "a list": () => "[]",
  nothing: () => "",
  "both layers and manifests": (image) => image.replace("{", '{"manifests":[],'),
  "another mediaType than its Content-Type": (image) =>
    image.replace(mediaTypes.ociManifest, mediaTypes.dockerManifest),
  "an unknown mediaType": (image) => image.replace(mediaTypes.ociManifest, "application/vnd.example+json"),
  "a key twice": (image) => image.replace('"layers":', '"layers":[],"layers":'),
  "a key twice, once escaped": (image) => image.replace('"layers":', '"l\\u0061yers":[],"layers" :'),
  "a key twice further in": (image) => image.replace('"size":7', '"size":7,"size":7'),
  "a __proto__ key": (image) => image.replace("{", '{"__proto__":{"layers":[]},'),
  "deep nesting": (image) => image.replace("{", `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)},`),
  "a byte order mark": (image) => `\uFEFF${image}`,
  "invalid UTF-8": (image) => Buffer.concat([Buffer.from(image.slice(0, -1)), Buffer.from(',"x":"\xff"}', "latin1")]),
  "a negative size": (image) => image.replace('"size":7', '"size":-1'),
  "a huge size": (image) => image.replace('"size":7', '"size":1e300'),
  "a digest of another form": (image) => image.replace(/"digest":"sha256:[0-9a-f]{64}"/, '"digest":"sha256:../../etc"'),
  "an unknown digest algorithm": (image) => image.replace(/"digest":"sha256:/, '"digest":"md5:'),
  "a layer at a file URL": (image) => image.replace('"size":7', '"size":7,"urls":["file:///etc/passwd"]'),
  "a layer at a URL with a login": (image) =>
    image.replace('"size":7', '"size":7,"urls":["https://a:b@example.test/"]'),
  "annotations that are no texts": (image) => image.replace("{", '{"annotations":{"a":1},'),
  "schema 1": () => '{"schemaVersion":1,"fsLayers":[],"name":"app","tag":"latest"}',
};

describe("a manifest is refused with", () => {
  test.each(Object.entries(shapes))("%s", async (_, spoil) => {
    const { send } = testRegistry();
    const { body, mediaType } = await imageManifest(send, "app");
    const answer = await put(send, "v1", spoil(body), mediaType);
    expect(answer.status).toBe(400);
    expect(["MANIFEST_INVALID", "DIGEST_INVALID"]).toContain(answer.code);
    expect(await head(send, "v1")).toMatchObject({ status: 404 });
  });

  test("a body past the limit, by its length before a byte is read, or while it comes", async () => {
    const { transport, send } = testRegistry();
    const url = new URL("http://registry.test/v2/app/manifests/v1");
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read += 65_536;
        yield Buffer.alloc(65_536, 0x20);
      }
    }
    const open = async (): Promise<AsyncGenerator<Uint8Array>> => endless();
    expect(await transport({ method: "PUT", url, headers: {}, body: { open, size: 5e9 } })).toMatchObject({
      status: 413,
    });
    expect(read).toBe(0);
    expect(await transport({ method: "PUT", url, headers: {}, body: { open } })).toMatchObject({ status: 413 });
    expect(read).toBeLessThan(5_000_000);
    expect(await put(send, "v1", Buffer.alloc(4 * 1024 * 1024 + 1, 0x20))).toMatchObject({
      status: 413,
      code: "SIZE_INVALID",
    });
  });

  test.each(["a".repeat(129), ".dot", "-dash", "a%20b", "a%2Fb", "a:b", "sha256:abc", `sha384:${"0".repeat(96)}`, "%"])(
    "the reference %s",
    async (ref) => {
      const { send } = testRegistry();
      const { body } = await imageManifest(send, "app");
      for (const answer of [
        await put(send, ref, body),
        await send("GET", `/v2/app/manifests/${ref}`),
        await send("DELETE", `/v2/app/manifests/${ref}`),
      ]) {
        expect(answer.status).toBe(400);
      }
    },
  );
});

test.each([
  [
    "without a mediaType of its own",
    (body: string) => body.replace(/"mediaType":"[^"]+manifest.v1\+json",/, ""),
    mediaTypes.ociManifest,
  ],
  ["without a Content-Type", (body: string) => body, ""],
  [
    "with keys that are names of JavaScript",
    (body: string) => body.replace("{", '{"annotations":{"constructor":"a","toString":"b"},'),
    mediaTypes.ociManifest,
  ],
  [
    "with unknown fields",
    (body: string) => body.replace("{", '{"more":{"of":["this",null,1.5]},'),
    mediaTypes.ociManifest,
  ],
] as const)("a manifest is taken %s", async (_, change, contentType) => {
  const { send } = testRegistry();
  const { body } = await imageManifest(send, "app");
  const changed = change(body);
  expect(await put(send, "v1", changed, contentType)).toMatchObject({ status: 201 });
  expect(await send("GET", "/v2/app/manifests/v1")).toMatchObject({
    text: changed,
    headers: { "content-type": mediaTypes.ociManifest },
  });
});

test("deleting a tag leaves the manifest and its other tags", async () => {
  const { send } = testRegistry();
  const digest = await pushImage(send, "app", "one");
  await pushImage(send, "app", "two");
  expect(await send("DELETE", "/v2/app/manifests/one")).toMatchObject({ status: 202 });
  expect(await head(send, "one")).toMatchObject({ status: 404 });
  expect(await head(send, "two")).toMatchObject({ status: 200 });
  expect(await head(send, digest)).toMatchObject({ status: 200 });
});

test("deleting a digest takes all its tags along", async () => {
  const { send } = testRegistry();
  const digest: Digest = await pushImage(send, "app", "one");
  await pushImage(send, "app", "two");
  await pushImage(send, "app", "other", { annotations: { other: "yes" } });
  expect(await send("DELETE", `/v2/app/manifests/${digest}`)).toMatchObject({ status: 202 });
  for (const ref of ["one", "two", digest]) expect(await head(send, ref)).toMatchObject({ status: 404 });
  expect(await head(send, "other")).toMatchObject({ status: 200 });
});
