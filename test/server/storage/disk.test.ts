import { readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { digestOf, hexOf, type Digest } from "../../../src/oci/digest.ts";
import type { ServerEvent } from "../../../src/server/events.ts";
import { createRegistry, type EmbeddedRegistry } from "../../../src/server/registry.ts";
import { diskStorage } from "../../../src/server/storage/disk.ts";
import { randomBytes } from "../../support/images.ts";
import { pushBlob, pushImage, sender, type Send } from "../support.ts";
import { temporaryDirectory } from "./storages.ts";

interface OnDisk {
  readonly directory: string;
  readonly send: Send;
  readonly events: readonly ServerEvent[];
  /** Closes the registry and opens another one in the same directory. */
  readonly restart: () => Promise<void>;
}

async function onDisk(): Promise<OnDisk> {
  const directory = await temporaryDirectory();
  const events: ServerEvent[] = [];
  const make = (): EmbeddedRegistry =>
    createRegistry({ storage: diskStorage(directory), onEvent: (event) => void events.push(event) });
  let registry = make();
  onTestFinished(() => registry.close());
  return {
    directory,
    events,
    send: (...request) => sender(registry.transport)(...request),
    async restart() {
      await registry.close();
      registry = make();
    },
  };
}

const fileOf = (directory: string, digest: Digest): string =>
  `${directory}/blobs/${digest.split(":")[0]}/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`;

test("what was pushed is there after a restart", async () => {
  const { send, restart, directory } = await onDisk();
  const digest = await pushImage(send, "app", "v1", { subject: { mediaType: "a/b", digest: digestOf("s"), size: 1 } });
  const large = randomBytes("large", 3_000_000);
  await pushBlob(send, "app", large);
  const manifest = await send("GET", "/v2/app/manifests/v1");
  await restart();
  expect(await send("GET", "/v2/app/manifests/v1")).toMatchObject({
    status: 200,
    text: manifest.text,
    headers: manifest.headers,
  });
  expect((await send("GET", "/v2/_catalog")).json).toEqual({ repositories: ["app"] });
  expect((await send("GET", `/v2/app/referrers/${digestOf("s")}`)).text).toContain(digest);
  expect(Buffer.compare((await send("GET", `/v2/app/blobs/${digestOf(large)}`)).bytes, large)).toBe(0);
  expect(Buffer.compare(await readFile(fileOf(directory, digestOf(large))), large)).toBe(0);
  expect(await readdir(`${directory}/uploads`)).toEqual([]);
});

test("an upload goes on after a restart, from what was kept of it", async () => {
  const { send, restart } = await onDisk();
  const bytes = randomBytes("upload", 3_000_000);
  for (const algorithm of ["sha256", "sha512"] as const) {
    const { headers } = await send("POST", "/v2/app/blobs/uploads/");
    const location = headers["location"]!;
    await send("PATCH", location, { body: bytes.subarray(0, 2_000_000) });
    await restart();
    expect(await send("GET", location)).toMatchObject({ status: 204, headers: { range: "0-1999999" } });
    await send("PATCH", location, { body: bytes.subarray(2_000_000), headers: { "content-range": "2000000-2999999" } });
    const digest = digestOf(bytes, algorithm);
    expect(await send("PUT", `${location}?digest=${digest}`)).toMatchObject({ status: 201 });
    expect(Buffer.compare((await send("GET", `/v2/app/blobs/${digest}`)).bytes, bytes)).toBe(0);
  }
});

const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
  "cut short": (file) => truncate(file, 3),
  gone: (file) => rm(file),
  "overwritten with as many other bytes": async (file) => writeFile(file, Buffer.alloc((await readFile(file)).length)),
};
for (const [damage, spoil] of Object.entries(damages)) {
  test.each([20, 400_000])(`a blob of %i bytes that is ${damage} heals when it is pushed again`, async (size) => {
    const { send, directory, restart, events } = await onDisk();
    const bytes = randomBytes("blob", size);
    const digest = await pushBlob(send, "app", bytes);
    await restart();
    await spoil(fileOf(directory, digest));
    if (!damage.includes("overwritten")) {
      // A client that asks first learns that it has to push.
      for (const method of ["HEAD", "GET"] as const)
        expect(await send(method, `/v2/app/blobs/${digest}`)).toMatchObject({ status: 404 });
      expect(await send("POST", `/v2/app/blobs/uploads/?mount=${digest}&from=app`)).toMatchObject({ status: 202 });
      expect(events).toContainEqual({ type: "damaged", repository: "app", digest });
    } else {
      expect(await send("GET", `/v2/app/blobs/${digest}`)).toMatchObject({ status: 200 });
    }
    await pushBlob(send, "app", bytes);
    expect(Buffer.compare((await send("GET", `/v2/app/blobs/${digest}`)).bytes, bytes)).toBe(0);
  });
}

test("no manifest is taken whose blobs have been damaged", async () => {
  const { send, directory } = await onDisk();
  const digest = await pushImage(send, "app", "v1");
  const { text } = await send("GET", `/v2/app/manifests/${digest}`);
  await truncate(fileOf(directory, digestOf("a layer")), 1);
  const again = { body: text, headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" } };
  expect(await send("PUT", "/v2/app/manifests/v2", again)).toMatchObject({
    status: 400,
    code: "MANIFEST_BLOB_UNKNOWN",
  });
  await pushBlob(send, "app", "a layer");
  expect(await send("PUT", "/v2/app/manifests/v2", again)).toMatchObject({ status: 201 });
});

test("what is left of old uploads is swept away once somebody pushes", async () => {
  const { send, directory, restart } = await onDisk();
  await pushBlob(send, "app", "x");
  await restart();
  const [old, young] = [`${directory}/uploads/old`, `${directory}/uploads/young`];
  for (const file of [old, young]) await writeFile(file, "rest");
  const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
  await utimes(old, yesterday, yesterday);
  await pushBlob(send, "app", "y");
  await expect.poll(() => readdir(`${directory}/uploads`)).toEqual(["young"]);
});

test("a directory is served once at a time", async () => {
  const directory = await temporaryDirectory();
  const [first, second] = [diskStorage(directory), diskStorage(directory)];
  const opened = await first.open();
  await opened.metadata.linkBlob("app", { digest: digestOf("x"), size: 1 });
  await expect(second.open()).rejects.toMatchObject({ code: "CONFLICT", message: expect.stringContaining(directory) });
  await opened.close();
  const reopened = await second.open();
  expect(await reopened.metadata.blob("app", digestOf("x"))).toBe(1);
  await reopened.close();
});

test("a directory of a newer format is left alone", async () => {
  const directory = await temporaryDirectory();
  await (await diskStorage(directory).open()).close();
  const database = new DatabaseSync(`${directory}/metadata.db`);
  database.exec("PRAGMA user_version = 99");
  database.close();
  await expect(diskStorage(directory).open()).rejects.toMatchObject({
    code: "INVALID",
    message: expect.stringContaining("newer"),
  });
});

test("a place that cannot be a directory is INVALID", async () => {
  const directory = await temporaryDirectory();
  await writeFile(`${directory}/file`, "");
  await expect(diskStorage(`${directory}/file`).open()).rejects.toMatchObject({ code: "INVALID" });
});
