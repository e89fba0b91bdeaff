import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { contentOf, streamOf, type ByteStream, type Content } from "../../../src/oci/stream.ts";
import { remoteStore } from "../../../src/store/remote/remote-store.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { instantClock } from "../../support/instant-clock.ts";
import { expectCode } from "../../contract/store.ts";
import { randomBlob, randomBytes } from "../../support/images.ts";
import type { FaultRule } from "../../support/faults.ts";
import { onRequest, openFake } from "./setup.ts";

const mebibyte = 1024 * 1024;
const small = randomBlob("small", 1000);
const large = randomBlob("large", 2 * mebibyte);
const huge = randomBlob("huge", 20 * mebibyte);

/** Content in pieces, that says how often it was opened. */
function counted(bytes: Uint8Array, pieceSize = 300_000): Content & { opened: number } {
  const content = async (): Promise<ByteStream> => {
    content.opened += 1;
    return (async function* () {
      for (let at = 0; at < bytes.byteLength; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
    })();
  };
  content.opened = 0;
  return content;
}

describe("a good registry", () => {
  test("a first blob costs HEAD, POST and PUT; the next small ones POST and PUT", async () => {
    const { store, log, fake } = openFake();
    expect(await store.putBlob(small.descriptor, contentOf(small.bytes))).toBe("written");
    const d = small.descriptor.digest;
    expect(log()).toEqual([
      `HEAD /v2/app/blobs/${d}`,
      "POST /v2/app/blobs/uploads/",
      `PUT /v2/app/blobs/uploads/1?digest=${encodeURIComponent(d)}`,
    ]);
    const next = randomBlob("next");
    expect(await store.putBlob(next.descriptor, contentOf(next.bytes))).toBe("written");
    expect(methods(log())).toEqual(["POST", "PUT"]);
    expect(await store.putBlob(next.descriptor, contentOf(next.bytes))).toBe("exists");
    expect(log()).toEqual([`POST /v2/app/blobs/uploads/?mount=${encodeURIComponent(next.descriptor.digest)}&from=app`]);
    expect(fake.repositories.get("app")!.blobs.get(d)).toEqual(Buffer.from(small.bytes));
  });

  test("a large blob is always asked for by HEAD", async () => {
    const { store, log } = openFake();
    await store.putBlob(small.descriptor, contentOf(small.bytes));
    log();
    await store.putBlob(large.descriptor, contentOf(large.bytes));
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT"]);
    expect(await store.putBlob(large.descriptor, () => Promise.reject(new Error("opened without need")))).toBe(
      "exists",
    );
    expect(methods(log())).toEqual(["HEAD"]);
  });

  test("the body has its length, and may be opened anew", async () => {
    const { store, fake } = openFake();
    await store.putBlob(small.descriptor, contentOf(small.bytes));
    const put = fake.requests.at(-1)!;
    expect(put).toMatchObject({
      once: true,
      body: { size: 1000 },
      headers: { "content-type": "application/octet-stream" },
    });
  });

  test("a blob of unknown size goes in one PATCH without a length", async () => {
    const { store, log, fake } = openFake();
    expect(await store.putBlob({ digest: small.descriptor.digest }, counted(small.bytes, 99))).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PATCH", "PUT"]);
    expect(fake.requests[2]!.body!.size).toBeUndefined();
    expect(fake.requests[2]!.headers).not.toHaveProperty("content-range");
  });

  test("an empty blob", async () => {
    const { store, fake } = openFake();
    const empty = randomBlob("", 0);
    expect(await store.putBlob(empty.descriptor, contentOf(empty.bytes))).toBe("written");
    expect(fake.repositories.get("app")!.blobs.has(empty.descriptor.digest)).toBe(true);
    const lie = { digest: empty.descriptor.digest, size: 0 };
    await expectCode("UNVERIFIED", () => openFake().store.putBlob(lie, contentOf(small.bytes)));
  });

  test("a blob that is there with another size is sent again", async () => {
    const { store, fake } = openFake();
    await store.putBlob(small.descriptor, contentOf(small.bytes));
    fake.repositories.get("app")!.blobs.set(small.descriptor.digest, small.bytes.subarray(0, 10));
    expect(await openFakeOver(fake).putBlob(small.descriptor, contentOf(small.bytes))).toBe("written");
  });

  test("content that is wrong is not sent again, and nothing stays", async () => {
    const { store, fake, log } = openFake();
    const content = counted(randomBytes("wrong", 1000), 100);
    await expectCode("UNVERIFIED", () => store.putBlob(small.descriptor, content));
    expect(content.opened).toBe(1);
    expect(fake.uploads.size).toBe(0);
    expect(log().at(-1)).toBe("DELETE /v2/app/blobs/uploads/1");
    expect(await store.size(small.descriptor.digest)).toBeUndefined();
  });

  test("an error of the content passes through as it is", async () => {
    const { store, fake } = openFake();
    const mine = new Error("the source is gone");
    await expect(store.putBlob(small.descriptor, () => Promise.reject(mine))).rejects.toBe(mine);
    const halfway = async (): Promise<ByteStream> =>
      (async function* () {
        yield small.bytes.subarray(0, 500);
        throw mine;
      })();
    await expect(store.putBlob(small.descriptor, halfway)).rejects.toBe(mine);
    expect(fake.uploads.size).toBe(0);
  });

  test("an abort cancels the upload", async () => {
    const { store, fake } = openFake();
    const controller = new AbortController();
    const content = async (): Promise<ByteStream> =>
      (async function* () {
        yield small.bytes.subarray(0, 500);
        controller.abort();
        yield small.bytes.subarray(500);
      })();
    await expectCode("ABORTED", () => store.putBlob(small.descriptor, content, { signal: controller.signal }));
    expect(fake.uploads.size).toBe(0);
    expect(await store.size(small.descriptor.digest)).toBeUndefined();
  });
});

describe("mounts", () => {
  test("from the repository that the caller names", async () => {
    const { store, other, log } = openFake();
    await other("base").putBlob(large.descriptor, contentOf(large.bytes));
    log();
    expect(await store.putBlob(large.descriptor, counted(large.bytes), { mountFrom: "base" })).toBe("mounted");
    expect(log()).toEqual([
      `POST /v2/app/blobs/uploads/?mount=${encodeURIComponent(large.descriptor.digest)}&from=base`,
    ]);
  });

  test("from a repository where the blob was put before, with no other question", async () => {
    const { store, other, log } = openFake();
    await other("base").putBlob(small.descriptor, contentOf(small.bytes));
    log();
    expect(await store.putBlob(small.descriptor, counted(small.bytes))).toBe("mounted");
    expect(log()).toEqual([expect.stringContaining("&from=base")]);
  });

  test.each([401, 403, 404, 405])("refused by %i: sent by a plain POST", async (mount) => {
    const { store, log, fake } = openFake({ mount });
    expect(await store.putBlob(small.descriptor, counted(small.bytes), { mountFrom: "base" })).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "POST", "PUT"]);
    expect(fake.uploads.size).toBe(0);
  });

  test("answered 202: that upload is used at once", async () => {
    const { store, log } = openFake({ mount: 202 });
    expect(await store.putBlob(small.descriptor, counted(small.bytes), { mountFrom: "base" })).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT"]);
  });

  test("a registry that refuses the question is not asked by POST again", async () => {
    const { store, log } = openFake({ mount: 400 });
    const [a, b, c] = ["a", "b", "c"].map((seed) => randomBlob(seed)) as [typeof small, typeof small, typeof small];
    for (const { descriptor, bytes } of [a, b]) await store.putBlob(descriptor, contentOf(bytes));
    expect(await store.putBlob(b.descriptor, contentOf(b.bytes))).toBe("exists");
    log();
    await store.putBlob(c.descriptor, contentOf(c.bytes));
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT"]);
  });

  test("a large blob that could not be mounted is looked for before it is sent, and the upload not needed is cancelled", async () => {
    const behaviour: { mount?: number } = {};
    const { store, fake, log } = openFake(behaviour);
    await store.putBlob(small.descriptor, contentOf(small.bytes));
    await store.putBlob(large.descriptor, contentOf(large.bytes));
    behaviour.mount = 202;
    log();
    expect(await store.putBlob(large.descriptor, counted(large.bytes), { mountFrom: "base" })).toBe("exists");
    expect(methods(log())).toEqual(["POST", "HEAD", "DELETE"]);
    expect(fake.uploads.size).toBe(0);
  });

  test("a host that keeps refusing mounts is not offered what was only seen", async () => {
    const { store, other, log } = openFake({ mount: 202 });
    const blobs = Array.from({ length: 5 }, (_, i) => randomBlob(`seen ${i}`));
    for (const { descriptor, bytes } of blobs) await other("base").putBlob(descriptor, contentOf(bytes));
    log();
    for (const { descriptor, bytes } of blobs) await store.putBlob(descriptor, contentOf(bytes));
    expect(log().filter((line) => line.includes("from=base"))).toHaveLength(3);
  });
});

describe("413", () => {
  test("a blob that is too large for one request goes in chunks, and so do the next", async () => {
    const { store, log, fake, shared } = openFake({ bodyLimit: 18 * mebibyte });
    const content = counted(huge.bytes);
    expect(await store.putBlob(huge.descriptor, content)).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT", "GET", "DELETE", "HEAD", "POST", "PATCH", "PATCH", "PUT"]);
    expect(shared.bodyLimit).toBe(16 * mebibyte);
    const patches = fake.requests.filter(({ method }) => method === "PATCH");
    expect(patches.map(({ headers }) => headers["content-range"])).toEqual(["0-16777215", "16777216-20971519"]);
    expect(content.opened).toBe(1);
    const next = randomBlob("next large", 17 * mebibyte);
    await store.putBlob(next.descriptor, contentOf(next.bytes));
    expect(methods(log())).toEqual(["HEAD", "POST", "PATCH", "PATCH", "PUT"]);
  });

  test("chunks are halved until they pass", async () => {
    const { store, shared, fake } = openFake({ bodyLimit: 3 * mebibyte });
    await store.putBlob(huge.descriptor, counted(huge.bytes));
    expect(shared.bodyLimit).toBe(2 * mebibyte);
    expect(digestOf(fake.repositories.get("app")!.blobs.get(huge.descriptor.digest)!)).toBe(huge.descriptor.digest);
  });

  test("less than 1 MiB is not tried, and nothing stays", async () => {
    const { store, fake } = openFake({ bodyLimit: 100_000 });
    await expectCode("TOO_LARGE", () => store.putBlob(large.descriptor, counted(large.bytes)));
    expect(fake.uploads.size).toBe(0);
  });

  test("no chunk is smaller than the registry allows", async () => {
    const narrow = openFake({ bodyLimit: 18 * mebibyte, minimumChunk: 17 * mebibyte });
    await expectCode("TOO_LARGE", () => narrow.store.putBlob(huge.descriptor, counted(huge.bytes)));
    expect(narrow.fake.uploads.size).toBe(0);
    const roomy = openFake({ minimumChunk: 3 * mebibyte });
    roomy.shared.bodyLimit = 2 * mebibyte;
    await roomy.store.putBlob(huge.descriptor, counted(huge.bytes));
    expect(roomy.log().filter((line) => line.startsWith("PATCH"))).toHaveLength(7);
  });

  test("a blob of unknown size is measured first", async () => {
    const { store, shared, log } = openFake();
    shared.bodyLimit = mebibyte;
    const content = counted(large.bytes);
    expect(await store.putBlob({ digest: large.descriptor.digest }, content)).toBe("written");
    expect(content.opened).toBe(2);
    expect(methods(log())).toEqual(["HEAD", "POST", "PATCH", "PATCH", "PUT"]);
  });
});

describe("a broken upload", () => {
  const dropAt = (method: string, at: number, nth?: number): FaultRule =>
    onRequest(method, "uploads/", { fault: "drop", on: "request", at }, nth);

  test("goes on from where the registry says it is", async () => {
    const { store, log, fake, clock } = openFake({}, [dropAt("PUT", 1_500_000, 1)]);
    const content = counted(large.bytes);
    expect(await store.putBlob(large.descriptor, content)).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT", "GET", "PATCH", "PUT"]);
    expect(fake.requests.at(-2)!.headers["content-range"]).toBe("1500000-2097151");
    expect(content.opened).toBe(2);
    expect(clock.waits).toHaveLength(1);
  });

  test("of unknown size goes on too", async () => {
    const { store, log, fake } = openFake({}, [dropAt("PATCH", 1_500_000, 1)]);
    expect(await store.putBlob({ digest: large.descriptor.digest }, counted(large.bytes))).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PATCH", "GET", "PATCH", "PUT"]);
    expect(fake.requests.at(-2)!.headers["content-range"]).toBe("1500000-2097151");
  });

  test("whose answer was lost is found to be there", async () => {
    const { store, log } = openFake({}, [onRequest("PUT", "uploads/", { fault: "drop", on: "head" }, 1)]);
    expect(await store.putBlob(large.descriptor, counted(large.bytes))).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT", "GET", "HEAD"]);
  });

  test("starts again where the registry does not tell how far it is", async () => {
    const { store, log, fake } = openFake({ uploadStatus: 405 }, [dropAt("PUT", mebibyte, 1)]);
    expect(await store.putBlob(large.descriptor, counted(large.bytes))).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT", "GET", "DELETE", "HEAD", "POST", "PUT"]);
    expect(fake.uploads.size).toBe(0);
  });

  test("starts again, and never goes on again, where what was gone on with came out as other bytes", async () => {
    const { store, shared, log } = openFake({ keepsLastChunk: true }, [dropAt("PUT", 1_500_000, 1)]);
    expect(await store.putBlob(large.descriptor, counted(large.bytes))).toBe("written");
    const retried = ["DELETE", "HEAD", "POST", "PUT"];
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT", "GET", "PATCH", "PUT", ...retried]);
    expect(shared.resumes).toBe(false);
  });

  test("ends where the registry keeps nothing of what is sent", async () => {
    const nothing = openFake();
    nothing.shared.bodyLimit = mebibyte;
    const stuck: Transport = async (request) => {
      if (request.method !== "PATCH") return nothing.fake.transport(request);
      return { status: 202, headers: { range: "0-99" }, body: streamOf() };
    };
    const clock = instantClock();
    const store = remoteStore({
      transport: stuck,
      registry: "registry.example",
      repository: "app",
      shared: nothing.shared,
      clock,
    });
    await expectCode("NETWORK", () => store.putBlob(large.descriptor, counted(large.bytes)));
    expect(clock.waits).toHaveLength(5);
  });

  test("starts again where the upload is gone", async () => {
    const { store, log } = openFake({ uploadStatus: 404 }, [dropAt("PUT", mebibyte, 1)]);
    expect(await store.putBlob(large.descriptor, counted(large.bytes))).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT", "GET", "HEAD", "POST", "PUT"]);
  });

  test("asks again how far it is when that answer is lost too", async () => {
    const lost = onRequest("GET", "uploads/", { fault: "drop", on: "head" }, 1);
    const { store, log } = openFake({}, [dropAt("PUT", mebibyte, 1), lost]);
    expect(await store.putBlob(large.descriptor, counted(large.bytes))).toBe("written");
    expect(methods(log())).toEqual(["HEAD", "POST", "PUT", "GET", "GET", "PATCH", "PUT"]);
  });

  test.each([429, 503])("%i is waited out as long as it asks for", async (status) => {
    const rule = onRequest("PUT", "uploads/", { fault: "answer", status, retryAfter: 7 }, 1);
    const { store, clock } = openFake({}, [rule]);
    expect(await store.putBlob(large.descriptor, counted(large.bytes))).toBe("written");
    expect(clock.waits).toEqual([7000]);
  });

  test("is given up after five retries without progress, and cancelled", async () => {
    const { store, fake, clock } = openFake({}, [dropAt("PUT", 0)]);
    await expectCode("NETWORK", () => store.putBlob(small.descriptor, counted(small.bytes)));
    expect(fake.log.filter((line) => line.startsWith("PUT"))).toHaveLength(6);
    expect(clock.waits).toHaveLength(5);
    expect(fake.uploads.size).toBe(0);
  });

  test.each([0, 1])("is sent again %i times where that is how often", async (retries) => {
    const { fake, again } = openFake({}, [dropAt("PUT", 0)]);
    await expectCode("NETWORK", () => again(retries).putBlob(small.descriptor, counted(small.bytes)));
    expect(fake.log.filter((line) => line.startsWith("PUT"))).toHaveLength(1 + retries);
  });

  test("goes on for as long as it gets further", async () => {
    const { store, fake } = openFake({}, [dropAt("PATCH", 200_000), dropAt("PUT", 200_000, 1)]);
    expect(await store.putBlob(large.descriptor, counted(large.bytes))).toBe("written");
    expect(fake.log.filter((line) => line.startsWith("PATCH"))).toHaveLength(10);
  });

  test("gets smaller requests where connections break before anything is through", async () => {
    const { store, fake } = openFake({}, [dropAt("PUT", 0)]);
    expect(await store.putBlob(huge.descriptor, counted(huge.bytes))).toBe("written");
    expect(fake.log.filter((line) => line.startsWith("PATCH"))).toHaveLength(2);
  });

  test.each([400, 401, 403])("a refusal with %i is final", async (status) => {
    const { store, fake, clock } = openFake({}, [onRequest("PUT", "uploads/", { fault: "answer", status })]);
    const put = store.putBlob(small.descriptor, counted(small.bytes));
    await expect(put).rejects.toMatchObject({ status, host: "registry.example" });
    expect(clock.waits).toEqual([]);
    expect(methods(fake.log)).toEqual(["HEAD", "POST", "DELETE"]);
  });
});

describe("where the upload is", () => {
  const query = "?_state=a%2Bb%3D%3D&x=~y";

  test.each(["absolute", "http"] as const)(
    "%s on the registry's own host: with credentials, under our scheme",
    async (location) => {
      const { store, fake } = openFake({ location, uploadQuery: query });
      expect(await store.putBlob(small.descriptor, contentOf(small.bytes))).toBe("written");
      const put = fake.requests.at(-1)!;
      expect(put.url.origin).toBe("https://registry.example");
      expect(put.url.search).toBe(`${query}&digest=${encodeURIComponent(small.descriptor.digest)}`);
      expect(put.anonymous).toBeUndefined();
    },
  );

  test("on another host: without credentials", async () => {
    const { store, fake } = openFake({ location: "elsewhere" });
    expect(await store.putBlob(small.descriptor, contentOf(small.bytes))).toBe("written");
    expect(fake.requests.at(-1)).toMatchObject({ anonymous: true });
    expect(fake.requests.at(-1)!.url.host).toBe("uploads.example");
  });
});

/** The methods of logged requests. */
function methods(log: readonly string[]): readonly string[] {
  return log.map((line) => line.slice(0, line.indexOf(" ")));
}

function openFakeOver(fake: ReturnType<typeof openFake>["fake"]): ReturnType<typeof openFake>["store"] {
  const opened = openFake();
  opened.fake.repositories.set("app", fake.repositories.get("app")!);
  return opened.store;
}
