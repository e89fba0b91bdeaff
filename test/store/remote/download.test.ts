import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { collect, streamOf, type ByteStream } from "../../../src/oci/stream.ts";
import { remoteStore } from "../../../src/store/remote/remote-store.ts";
import type { Res } from "../../../src/transport/transport.ts";
import { expectCode } from "../../contract/store.ts";
import type { Behaviour } from "../../support/fake-registry.ts";
import type { FaultRule } from "../../support/faults.ts";
import { randomBlob } from "../../support/images.ts";
import { instantClock } from "../../support/instant-clock.ts";
import { onRequest, openFake, type Opened } from "./setup.ts";

const { descriptor, bytes } = randomBlob("download", 1_000_000);
const { digest } = descriptor;

function openWithBlob(behaviour: Behaviour = {}, rules: readonly FaultRule[] = []): Opened {
  const opened = openFake(behaviour, rules);
  opened.fake.repositories.set("app", { blobs: new Map([[digest, bytes]]), manifests: new Map(), tags: new Map() });
  return opened;
}

const dropAt = (at: number, nth?: number): FaultRule =>
  onRequest("GET", "/blobs/", { fault: "drop", on: "response", at }, nth);
const read = async (stream: ByteStream): Promise<string> => digestOf(await collect(stream, 2_000_000));

test("a blob is one GET, its size one HEAD", async () => {
  const { store, log } = openWithBlob();
  expect(await read(await store.blob(digest))).toBe(digest);
  expect(log()).toEqual([`GET /v2/app/blobs/${digest}`]);
  expect(await store.size(digest)).toBe(1_000_000);
  expect(log()).toEqual([`HEAD /v2/app/blobs/${digest}`]);
});

test("whether pieces may be reused is passed on, and encodings are not asked for", async () => {
  const { store, fake } = openWithBlob();
  await read(await store.blob(digest, { transient: true }));
  expect(fake.requests[0]).toMatchObject({ transient: true, headers: { "accept-encoding": "identity" } });
});

test("a blob that is not there", async () => {
  const { store } = openFake();
  expect(await store.size(digest)).toBeUndefined();
  await expect(store.blob(digest)).rejects.toMatchObject({
    code: "BLOB_UNKNOWN",
    status: 404,
    host: "registry.example",
  });
});

test("another size than expected is found before a byte is read", async () => {
  const { store } = openWithBlob();
  await expectCode("UNVERIFIED", () => store.blob(digest, { size: 999_999 }));
});

test("wrong bytes are UNVERIFIED, and the last piece is not handed out", async () => {
  const { store } = openWithBlob({}, [onRequest("GET", "/blobs/", { fault: "corrupt", on: "response", at: 999_999 })]);
  let received = 0;
  await expectCode("UNVERIFIED", async () => {
    for await (const piece of await store.blob(digest)) received += piece.byteLength;
  });
  expect(received).toBeLessThan(1_000_000);
});

describe("a connection that breaks", () => {
  test.each([0, 1, 500_000, 999_999])("after %i bytes is mended by a Range request", async (at) => {
    const { store, fake, clock } = openWithBlob({}, [dropAt(at, 1)]);
    expect(await read(await store.blob(digest))).toBe(digest);
    expect(fake.requests.map(({ headers }) => headers["range"])).toEqual([
      undefined,
      at === 0 ? undefined : `bytes=${at}-`,
    ]);
    expect(clock.waits).toHaveLength(1);
  });

  test("is also one whose answer ends too early without an error", async () => {
    const { store, log } = openWithBlob({}, [onRequest("GET", "/blobs/", { fault: "truncate", at: 300_000 }, 1)]);
    expect(await read(await store.blob(digest))).toBe(digest);
    expect(log()).toHaveLength(2);
  });

  test("when all bytes are there needs no other request", async () => {
    const registry = remoteStore({
      transport: lateBreak,
      registry: "registry.example",
      repository: "app",
      clock: instantClock(),
    });
    expect(await read(await registry.blob(digest))).toBe(digest);
  });

  test("and a registry that ignores ranges: what was read is skipped", async () => {
    const { store } = openWithBlob({ range: "ignored" }, [dropAt(400_000, 1)]);
    expect(await read(await store.blob(digest))).toBe(digest);
  });

  test("and a registry that answers another range is an error in the end, never wrong bytes", async () => {
    const { store, log } = openWithBlob({ range: "wrong" }, [dropAt(400_000, 1)]);
    await expectCode("NETWORK", async () => read(await store.blob(digest)));
    expect(log()).toHaveLength(6);
  });

  test("five times without progress is given up", async () => {
    const { store, log } = openWithBlob({}, [dropAt(0)]);
    await expectCode("NETWORK", async () => read(await store.blob(digest)));
    expect(log()).toHaveLength(6);
  });

  test.each([0, 1])("%i times is gone on with where that is how often", async (retries) => {
    const { again, log } = openWithBlob({}, [dropAt(1000)]);
    await expectCode("NETWORK", async () => read(await again(retries).blob(digest)));
    expect(log()).toHaveLength(1 + retries);
  });

  test("any number of times is mended as long as there is progress", async () => {
    const { store, log } = openWithBlob({}, [dropAt(70_000)]);
    expect(await read(await store.blob(digest))).toBe(digest);
    expect(log()).toHaveLength(15);
  });

  test("and a blob that is gone meanwhile", async () => {
    const { store, fake } = openWithBlob({}, [dropAt(10, 1)]);
    const stream = await store.blob(digest);
    fake.repositories.get("app")!.blobs.clear();
    await expectCode("BLOB_UNKNOWN", () => read(stream));
  });
});

test("a reader that leaves gives the connection up, also before the first piece", async () => {
  let returned = 0;
  const body = {
    next: async () => ({ done: false as const, value: bytes }),
    return: async () => ({ done: true as const, value: void (returned += 1) }),
  };
  const answer: Res = { status: 200, headers: {}, body: { [Symbol.asyncIterator]: () => body } };
  const store = remoteStore({ transport: async () => answer, registry: "registry.example", repository: "app" });
  await (await store.blob(digest))[Symbol.asyncIterator]().return?.();
  expect(returned).toBe(1);
  for await (const _ of await store.blob(digest)) break;
  expect(returned).toBe(2);
});

test("an abort ends the stream", async () => {
  const { store } = openWithBlob({}, [onRequest("GET", "/blobs/", { fault: "drop", on: "response", at: 500_000 }, 1)]);
  const controller = new AbortController();
  const stream = await store.blob(digest, { signal: controller.signal });
  controller.abort();
  await expectCode("ABORTED", () => read(stream));
});

test("where HEAD is refused or has no length, the head of a GET tells the size", async () => {
  const answer = (method: string): Res => {
    const headers: Record<string, string> = method === "GET" ? { "content-length": "7" } : {};
    return { status: 200, headers, body: streamOf() };
  };
  const store = remoteStore({
    transport: async ({ method }) => answer(method),
    registry: "registry.example",
    repository: "app",
  });
  expect(await store.size(digest)).toBe(7);
});

/** Sends everything, and then breaks. */
async function lateBreak(): Promise<Res> {
  async function* body(): ByteStream {
    yield bytes;
    throw new Error("reset");
  }
  return { status: 200, headers: { "content-length": String(bytes.byteLength) }, body: body() };
}
