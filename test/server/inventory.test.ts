import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { createRegistry } from "../../src/server/registry.ts";
import { diskStorage } from "../../src/server/storage/disk.ts";
import { memoryStorage } from "../../src/server/storage/memory.ts";
import { pushBlob, pushImage, sender, testRegistry, type Answer, type Send } from "./support.ts";
import { temporaryDirectory } from "./storage/storages.ts";

const start = Date.UTC(2026, 10, 20);
const hour = 3_600_000;

/** A registry whose clock is the test's. */
function clocked(): { readonly send: Send; readonly pass: (milliseconds: number) => void } {
  let at = start;
  const { send } = testRegistry({ storage: memoryStorage({ now: () => at }) });
  return { send, pass: (milliseconds) => void (at += milliseconds) };
}

const path = "/v2/app/_gantry/inventory/manifests";
const list = async (send: Send, query = ""): Promise<readonly Record<string, unknown>[]> =>
  ((await send("GET", `${path}${query}`)).json as { manifests: Record<string, unknown>[] }).manifests;
const linkOf = ({ headers }: Answer): string | undefined => /^<([^>]+)>; rel="next"$/.exec(headers["link"] ?? "")?.[1];

/** Pushes an image of this config under a tag. */
async function pushOf(send: Send, tag: string, config: string): Promise<string> {
  const layer = await pushBlob(send, "app", "a layer");
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: await pushBlob(send, "app", config), size: config.length },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: layer, size: 7 }],
  });
  const headers = { "content-type": mediaTypes.ociManifest };
  expect((await send("PUT", `/v2/app/manifests/${tag}`, { body, headers })).status).toBe(201);
  return digestOf(body);
}

describe("the inventory of a repository", () => {
  test("has every field of an image, an index and what is attached", async () => {
    const { send, pass } = clocked();
    const config = '{"os":"linux","architecture":"arm64","variant":"v8","created":"2026-01-02T03:04:05Z"}';
    const image = await pushOf(send, "v1", config);
    const { headers } = await send("HEAD", "/v2/app/manifests/v1");
    const size = Number(headers["content-length"]);
    pass(1000);
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [
        { mediaType: mediaTypes.ociManifest, digest: image, size, platform: { os: "linux", architecture: "arm64" } },
      ],
      annotations: { "org.opencontainers.image.created": "2026-02-03T04:05:06Z" },
    });
    await send("PUT", "/v2/app/manifests/all", { body: index, headers: { "content-type": mediaTypes.ociIndex } });
    const note = await pushImage(send, "app", undefined, {
      artifactType: "application/vnd.example.note",
      subject: { mediaType: mediaTypes.ociManifest, digest: image, size },
    });
    pass(1000);
    await send("GET", "/v2/app/manifests/all");
    const answer = await send("GET", path);
    expect([answer.status, answer.headers["content-type"], answer.headers["link"]]).toEqual([
      200,
      "application/vnd.gantry.inventory.v1+json",
      undefined,
    ]);
    const layer = { digest: digestOf("a layer"), size: 7 };
    const configBlob = { digest: digestOf(config), size: config.length };
    const wanted = [
      {
        digest: image,
        mediaType: mediaTypes.ociManifest,
        size,
        artifactType: mediaTypes.ociConfig,
        tags: [{ name: "v1", moved: "2026-11-20T00:00:00.000Z" }],
        pushed: "2026-11-20T00:00:00.000Z",
        created: "2026-01-02T03:04:05Z",
        platforms: ["linux/arm64/v8"],
        config: { mediaType: mediaTypes.ociConfig, ...configBlob },
        blobs: [configBlob, layer],
        manifests: [],
      },
      {
        digest: digestOf(index),
        mediaType: mediaTypes.ociIndex,
        size: index.length,
        tags: [{ name: "all", moved: "2026-11-20T00:00:01.000Z" }],
        pushed: "2026-11-20T00:00:01.000Z",
        pulled: "2026-11-20T00:00:02.000Z",
        created: "2026-02-03T04:05:06Z",
        platforms: ["linux/arm64"],
        blobs: [],
        manifests: [image],
      },
      {
        digest: note,
        mediaType: mediaTypes.ociManifest,
        size: expect.any(Number) as number,
        artifactType: "application/vnd.example.note",
        subject: image,
        tags: [],
        pushed: "2026-11-20T00:00:01.000Z",
        config: { mediaType: mediaTypes.ociConfig, digest: digestOf("{}"), size: 2 },
        blobs: [{ digest: digestOf("{}"), size: 2 }, layer],
        manifests: [],
      },
    ];
    expect(answer.json).toEqual({ name: "app", manifests: wanted.toSorted((a, b) => (a.digest < b.digest ? -1 : 1)) });
  });

  test.each(["no JSON", "[]", '{"os":1,"architecture":"\\u001b[31m","created":"yesterday"}', '{"os":"linux"}', "null"])(
    "says nothing of a config such as %s",
    async (config) => {
      const { send } = clocked();
      await pushOf(send, "v1", config);
      const [entry] = await list(send);
      expect(Object.keys(entry!)).not.toEqual(expect.arrayContaining(["created"]));
      expect(Object.keys(entry!)).not.toEqual(expect.arrayContaining(["platforms"]));
    },
  );

  test("comes in pages, each with the way to the next", async () => {
    const { send } = clocked();
    for (let i = 0; i < 5; i++) await pushImage(send, "app", `v${i}`, { annotations: { i: String(i) } });
    const found: unknown[] = [];
    let next: string | undefined = `${path}?n=2`;
    let pages = 0;
    for (; next; pages++) {
      const answer: Answer = await send("GET", next);
      found.push(...(answer.json as { manifests: unknown[] }).manifests);
      next = linkOf(answer);
    }
    expect([pages, found]).toEqual([3, await list(send)]);
    expect((await list(send, "?n=99999999999999999999")).length).toBe(5);
  });

  test("is NAME_UNKNOWN where there is no such repository, and is for GET alone", async () => {
    const { send } = clocked();
    expect(await send("GET", path)).toMatchObject({ status: 404, code: "NAME_UNKNOWN" });
    expect(await send("PUT", path)).toMatchObject({ status: 405, headers: { allow: "GET" } });
    expect(await send("GET", "/v2/App/_gantry/inventory/manifests")).toMatchObject({
      status: 400,
      code: "NAME_INVALID",
    });
  });

  test.each([
    "?n=0",
    "?n=-1",
    "?n=x",
    "?n=",
    "?last=",
    "?last=x",
    `?last=${digestOf("a")},`,
    `?last=${digestOf("a")},a,b`,
  ])("with %s is a 400, or a list", async (query) => {
    const { send } = clocked();
    await pushImage(send, "app", "v1");
    const { status } = await send("GET", `${path}${query}`);
    expect(status).toBe(query.endsWith(",") ? 200 : 400);
  });

  test("answers any query with a list or a 400", async () => {
    const { send } = clocked();
    await pushImage(send, "app", "v1");
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (n, last) => {
        const { status } = await send("GET", `${path}?${new URLSearchParams({ n, last }).toString()}`);
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the time of the last pull", () => {
  const pulled = async (send: Send): Promise<unknown> => (await list(send))[0]!["pulled"];

  test("is that of a GET, by tag, by digest or to see whether it changed; of nothing else", async () => {
    const { send, pass } = clocked();
    const digest = await pushImage(send, "app", "v1");
    await send("HEAD", "/v2/app/manifests/v1");
    await send("GET", "/v2/app/tags/list");
    await send("GET", "/v2/app/manifests/v2");
    expect(await pulled(send)).toBeUndefined();
    const gets = [["v1"], [digest], ["v1", { "if-none-match": `"${digest}"` }]] as const;
    for (const [at, [ref, headers]] of gets.entries()) {
      pass(2 * hour);
      await send("GET", `/v2/app/manifests/${ref}`, headers ? { headers } : {});
      expect(await pulled(send)).toBe(new Date(start + 2 * hour * (at + 1)).toISOString());
    }
  });

  test("is not noted by a read-only registry, nor by one without the extension", async () => {
    const storage = memoryStorage();
    await pushImage(testRegistry({ storage }).send, "app", "v1");
    for (const options of [{ readOnly: true }, { extension: false }]) {
      expect((await testRegistry({ storage, ...options }).send("GET", "/v2/app/manifests/v1")).status).toBe(200);
    }
    expect(await pulled(testRegistry({ storage, readOnly: true }).send)).toBeUndefined();
  });

  test("is kept in a directory to within an hour, through a restart", async () => {
    const directory = await temporaryDirectory();
    let at = start;
    const serving = async (work: (send: Send) => Promise<void>): Promise<void> => {
      const registry = createRegistry({ storage: diskStorage(directory, { now: () => at }) });
      try {
        await work(sender(registry.transport));
      } finally {
        await registry.close();
      }
    };
    const first = new Date(start).toISOString();
    await serving(async (send) => {
      await pushImage(send, "app", "v1");
      await send("GET", "/v2/app/manifests/v1");
      at += hour - 1;
      await send("GET", "/v2/app/manifests/v1");
      expect(await pulled(send)).toBe(first);
    });
    await serving(async (send) => {
      expect(await pulled(send)).toBe(first);
      await send("GET", "/v2/app/manifests/v1");
      expect(await pulled(send)).toBe(first);
      at += 1;
      await send("GET", "/v2/app/manifests/v1");
      expect(await pulled(send)).toBe(new Date(start + hour).toISOString());
    });
  });
});

describe("the extensions of the registry", () => {
  test.each(["/v2/_oci/ext/discover", "/v2/app/_oci/ext/discover", "/v2/team/app/_oci/ext/discover/"])(
    "are told at %s",
    async (at) => {
      const { send } = testRegistry();
      const { status, json } = await send("GET", at);
      expect([status, json]).toEqual([
        200,
        {
          extensions: [
            {
              name: "_gantry",
              url: "docs/guide/inventory.md",
              description: "lists the manifests of a repository with their tags, and when they were pushed and pulled",
              endpoints: ["_gantry/inventory/manifests"],
            },
          ],
        },
      ]);
    },
  );

  test("are announced where clients look for what a registry is", async () => {
    const { send } = testRegistry();
    await pushImage(send, "app", "v1");
    for (const at of ["/v2/", "/v2/app/tags/list"])
      expect((await send("GET", at)).headers["gantry-extension"]).toBe("1");
    expect((await send("GET", "/v2/app/manifests/v1")).headers).not.toHaveProperty("gantry-extension");
  });

  test("are not there where they are not wanted", async () => {
    const { send } = testRegistry({ extension: false });
    await pushImage(send, "app", "v1");
    for (const at of [path, "/v2/_oci/ext/discover", "/v2/app/_oci/ext/discover"])
      expect(await send("GET", at)).toMatchObject({ status: 404, code: "UNSUPPORTED" });
    expect((await send("GET", "/v2/")).headers).not.toHaveProperty("gantry-extension");
  });

  test.each([
    "/v2/_gantry/inventory/manifests",
    "/v2/app/_other/inventory/manifests",
    "/v2/app/_gantry/inventory/blobs",
    "/v2/_other/ext/discover",
  ])("%s is none of them", async (at) => {
    expect((await testRegistry().send("GET", at)).status).toBe(404);
  });
});
