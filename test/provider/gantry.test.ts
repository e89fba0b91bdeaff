import { describe, expect, onTestFinished, test } from "vitest";
import { join } from "node:path";
import { userPassword } from "../../src/auth/credential.ts";
import { fixedSource } from "../../src/auth/flags.ts";
import { createClient, type Client, type ClientOptions, type ImageInfo } from "../../src/index.ts";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { detect } from "../../src/provider/detect.ts";
import { gantry } from "../../src/provider/gantry/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { createRegistry, htpasswdAccess, memoryStorage, type RegistryOptions } from "../../src/server/index.ts";
import { remoteRegistry } from "../../src/store/remote/remote-store.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { testRegistry } from "../cli/support.ts";
import { writeUsers } from "../server/access/support.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { providerContract } from "../contract/provider.ts";
import { artifact, image, putImage, twoPlatforms, type TestImage } from "../support/images.ts";
import { recorded, serviceContext, silent } from "./support.ts";

providerContract({
  provider: gantry,
  hosts: [],
  lookAlikes: ["registry.example", "gantry", "gantry.example"],
  challenges: [],
  silent: silent(gantry, "registry.example"),
});

const host = "registry.example";

/** A registry in this process, and what was asked of it: `GET /v2/`. */
function real(options: Partial<RegistryOptions> = {}): { readonly transport: Transport; readonly asked: string[] } {
  const { transport } = createRegistry({ storage: memoryStorage(), ...options });
  const asked: string[] = [];
  return {
    asked,
    transport: (request) => {
      asked.push(`${request.method} ${request.url.pathname}${request.url.search}`);
      return transport(request);
    },
  };
}

const connect = (transport: Transport): Promise<ServiceRegistry> => gantry.connect(serviceContext(host, { transport }));
const digest = (of: TestImage): Digest => of.manifest.descriptor.digest;
const path = "/v2/app/_gantry/inventory/manifests";

describe("a registry of Gantry's is found", () => {
  test("by one request", async () => {
    const { transport, asked } = real();
    expect(await detect(host, transport)).toEqual({ provider: gantry, by: "header" });
    expect(asked).toEqual(["GET /v2/"]);
  });

  test("without a login", async () => {
    const access = {
      open: false,
      authorize: () => ({
        allow: false,
        reply: { status: 401, headers: { "www-authenticate": 'Bearer realm="https://registry.example/token"' } },
      }),
    } as const;
    expect(await detect(host, real({ access }).transport)).toEqual({ provider: gantry, by: "header" });
  });

  test("and not where its extension is off", async () => {
    expect((await detect(host, real({ extension: false }).transport)).provider.name).toBe("generic");
  });

  test("by an answer that came before, for no request", async () => {
    const { host: at, store } = await testRegistry();
    await putImage(store("app"), image("a"), "1");
    const client = testClient();
    expect(await client.knownService(at)).toBeUndefined();
    await Array.fromAsync(client.open(`${at}/app`).store.tags());
    expect((await client.knownService(at))?.provider).toBe(gantry);
  });
});

function testClient(
  onEvent?: (text: string) => void,
  credentials: NonNullable<ClientOptions["credentials"]> = [],
): Client {
  const client = createClient({
    env: {},
    credentials,
    onEvent: (event) => event.type === "request" && onEvent?.(`${event.method} ${new URL(event.url).pathname}`),
  });
  onTestFinished(() => client.close());
  return client;
}

describe("its images", () => {
  const index = twoPlatforms("two");
  const note = artifact("note", index.manifest.descriptor);
  const bytesOf = (one: TestImage): number =>
    one.manifest.descriptor.size + one.blobs.reduce((sum, blob) => sum + blob.descriptor.size, 0);

  test("are told with all that is known of them, those with tags first", async () => {
    const { transport } = real({ storage: memoryStorage({ now: () => Date.UTC(2026, 10, 20) }) });
    const app = remoteRegistry({ transport, registry: host }).repository("app");
    await putImage(app, index, "2");
    await putImage(app, note);
    await putImage(app, image("one"), "1");
    await app.manifest("2");
    const images = await Array.fromAsync((await connect(transport)).images("app"));
    const shown = images.map(({ content: _content, ...more }) => more);
    const moment = "2026-11-20T00:00:00.000Z";
    const single = (one: TestImage): ImageInfo => ({
      digest: digest(one),
      tags: [],
      pushed: moment,
      mediaType: mediaTypes.ociManifest,
      size: bytesOf(one),
      sizeKind: "manifest",
    });
    expect(shown.slice(0, 2)).toEqual([
      { ...single(image("one")), tags: ["1"], platforms: ["linux/amd64"] },
      {
        digest: digest(index),
        tags: ["2"],
        pushed: moment,
        pulled: moment,
        mediaType: mediaTypes.ociIndex,
        platforms: ["linux/amd64", "linux/arm64"],
        children: index.children.map(digest),
        size: bytesOf(index) + index.children.map(bytesOf).reduce((a, b) => a + b),
        sizeKind: "children",
      },
    ]);
    const { artifactType } = note.manifest.descriptor;
    expect(shown.slice(2)).toEqual(
      expect.arrayContaining([
        { ...single(note), subject: digest(index), artifactType },
        { ...single(index.children[0]!), platforms: ["linux/amd64"] },
        { ...single(index.children[1]!), platforms: ["linux/arm64"] },
      ]),
    );
    expect(shown).toHaveLength(5);
  });

  test("come by pages, an index after the parts that it has on others", async () => {
    const { transport, asked } = real();
    const app = remoteRegistry({ transport, registry: host }).repository("app");
    const tags = Array.from({ length: 1100 }, (_, i) => `t${i}`);
    await putImage(app, index, "index");
    await Promise.all(tags.map((tag) => putImage(app, image("one"), tag)));
    asked.length = 0;
    const images = await Array.fromAsync((await connect(transport)).images("app"));
    expect(asked).toEqual([`GET ${path}`, expect.stringContaining(`GET ${path}?last=sha256`)]);
    expect(new Set(images.flatMap((one) => one.tags))).toEqual(new Set(["index", ...tags]));
    const told = images.filter((one) => one.tags.includes("index"));
    expect(told.map(({ size }) => size)).toEqual([
      bytesOf(index) + index.children.map(bytesOf).reduce((a, b) => a + b),
    ]);
  });

  test("of no repository are NAME_UNKNOWN", async () => {
    const service = await connect(real().transport);
    await expect(Array.fromAsync(service.images("nothing"))).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
    await expect(Array.fromAsync(service.images("../x"))).rejects.toMatchObject({ code: "NAME_INVALID" });
    expect(await service.describeRepository("nothing")).toBeUndefined();
  });

  test("make up what is told of the repository", async () => {
    const { transport } = real({ storage: memoryStorage({ now: () => Date.UTC(2026, 10, 20) }) });
    const app = remoteRegistry({ transport, registry: host }).repository("app");
    await putImage(app, index, "2");
    await putImage(app, index, "latest");
    await putImage(app, note);
    const all = [index, ...index.children, note];
    const parts = all.flatMap(({ manifest, blobs }) => [manifest.descriptor, ...blobs.map((blob) => blob.descriptor)]);
    const sizes = new Map(parts.map((part) => [part.digest, part.size]));
    expect(await (await connect(transport)).describeRepository("app")).toEqual({
      name: "app",
      tags: 2,
      images: 1,
      size: sizes.values().reduce((sum, size) => sum + size, 0),
      updated: "2026-11-20T00:00:00.000Z",
    });
  });

  const answering = (answer: object): Promise<ServiceRegistry> =>
    connect(recorded({ page: "docs/guide/inventory.md", url: `https://${host}${path}`, answer }).transport);

  test.each([
    { pushed: "soon", pulled: -1, platforms: ["\u001b[31m"] },
    { mediaType: mediaTypes.ociIndex, size: 5, blobs: [], manifests: ["x"] },
    { mediaType: "a/b", size: 5, blobs: [{ digest: 1 }], manifests: [] },
  ])("an entry such as %j is taken for no more than it is", async (entry) => {
    const service = await answering({ manifests: [{ digest: digestOf("a"), tags: [{ name: "ok" }], ...entry }] });
    const images = await Array.fromAsync(service.images("app"));
    expect(images).toMatchObject([{ tags: ["ok"] }]);
    expect(images.some((one) => one.content ?? one.platforms ?? one.pushed ?? one.children)).toBe(false);
  });

  // Left out, an index would leave its parts behind as what nothing holds, and a tag an image as untagged.
  test.each([
    {},
    { manifests: {} },
    { manifests: [7] },
    { manifests: [{ digest: "sha256:x", tags: [] }] },
    { manifests: [{ digest: digestOf("a") }] },
    { manifests: [{ digest: digestOf("a"), tags: "x" }] },
    { manifests: [{ digest: digestOf("a"), tags: [{ name: "../x" }, { name: "ok" }] }] },
    { manifests: [{ digest: digestOf("a"), tags: [null] }] },
  ])("an answer such as %j is none: UNSUPPORTED, so that tags are read", async (answer) => {
    const service = await answering(answer);
    await expect(Array.fromAsync(service.images("app"))).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: `cannot list the images of ${host}/app: ${host} answered with what is no such list`,
    });
  });

  test("lead nowhere twice", async () => {
    const { transport, asked } = recorded({
      page: "docs/guide/inventory.md",
      url: `https://${host}${path}`,
      headers: { link: `<${path}>; rel="next"` },
      answer: { manifests: [] },
    });
    expect(await Array.fromAsync((await connect(transport)).images("app"))).toEqual([]);
    expect(asked).toHaveLength(1);
  });
});

describe("its inventory", () => {
  test("takes two requests, and fetches no manifest: those would count as pulls", async () => {
    const { host: at, store } = await testRegistry();
    for (let i = 0; i < 30; i++) await putImage(store("app"), twoPlatforms(`app ${i}`), `v${i}`);
    await putImage(store("app"), artifact("note", twoPlatforms("app 0").manifest.descriptor));
    const asked: string[] = [];
    const client = testClient((text) => asked.push(text));
    for (const sparing of [true, false]) {
      const inventory = await client.inventory(`${at}/app`, { sparing, created: true });
      expect([inventory.manifests.size, inventory.tags.size, inventory.listsUntagged]).toEqual([91, 30, true]);
      const { unread, blobs, pushed, pulled } = inventory.manifests.get(digest(twoPlatforms("app 0").children[0]!))!;
      expect([unread, blobs.length, typeof pushed, pulled]).toEqual([undefined, 3, "number", undefined]);
    }
    expect(asked.filter((text) => !text.includes("/blobs/"))).toEqual(["GET /v2/", `GET ${path}`, `GET ${path}`]);
  });

  test("takes a login that may pull, by one token for all of it", async () => {
    const file = join(await temporaryDirectory(), "users");
    await writeUsers(file, { ann: "secret", bob: "secret" });
    const access = htpasswdAccess({ file, grants: (user) => (user === "ann" ? ["pull"] : []) });
    const { host: at } = await testRegistry({ access });
    const inventoryAs = async (user: string): Promise<readonly [readonly string[], unknown]> => {
      const asked: string[] = [];
      const client = testClient((text) => asked.push(text), [fixedSource("test", userPassword(user, "secret"))]);
      return [asked, await client.inventory(`${at}/app`).catch((error: unknown) => error)];
    };
    const [asked, inventory] = await inventoryAs("ann");
    expect(inventory).toMatchObject({ manifests: new Map(), gaps: [] });
    // A request is told of when it is over.
    expect(asked).toEqual(["GET /v2/", "GET /token", `GET ${path}`, `GET ${path}`]);
    expect((await inventoryAs("bob"))[1]).toMatchObject({ code: "DENIED" });
  });

  test("is read by tags where somebody says that it is Gantry's, and it has no such list", async () => {
    const { host: at, store } = await testRegistry({ extension: false });
    await putImage(store("app"), image("one"), "1");
    const client = createClient({ env: {}, hosts: { [at]: { provider: "gantry" } } });
    onTestFinished(() => client.close());
    const { tags, listsUntagged } = await client.inventory(`${at}/app`);
    expect([[...tags.keys()], listsUntagged]).toEqual([["1"], false]);
    const service = await client.service(at);
    await expect(Array.fromAsync(service.images("app"))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("is the same as that of a registry which lists nothing", async () => {
    const [own, plain] = [await testRegistry(), await testRegistry({ extension: false })];
    for (const { store } of [own, plain]) {
      const index = twoPlatforms("app");
      await putImage(store("app"), index, "v1");
      await putImage(store("app"), artifact("note", index.children[1]!.manifest.descriptor), "note");
      await putImage(store("app"), image("one"), "v2");
    }
    const client = testClient();
    const read = await Promise.all([own, plain].map((at) => client.inventory(`${at.host}/app`)));
    const contents = read.map(({ manifests }) =>
      [...manifests.values()].map(({ pushed: _pushed, platforms: _platforms, ...more }) => more),
    );
    expect(contents[0]).toEqual(contents[1]);
  });
});
