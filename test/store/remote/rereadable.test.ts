import { describe, expect, test } from "vitest";
import { collect, type ByteStream, type Content } from "../../../src/oci/stream.ts";
import { rereadable } from "../../../src/store/remote/rereadable.ts";
import { expectCode } from "../../contract/store.ts";
import { randomBlob } from "../../support/images.ts";

const { descriptor, bytes } = randomBlob("read again", 1000);
const { digest, size } = descriptor;

/** Content in pieces of 64 bytes in one buffer that is used again, and how often it was opened and given up. */
function reused(): { content: Content; opened: number; closed: number } {
  const source = {
    opened: 0,
    closed: 0,
    content: async (): Promise<ByteStream> => {
      source.opened += 1;
      return pieces();
    },
  };
  async function* pieces(): ByteStream {
    const buffer = new Uint8Array(64);
    try {
      for (let at = 0; at < size; at += 64) {
        const piece = bytes.subarray(at, at + 64);
        buffer.set(piece);
        yield buffer.subarray(0, piece.byteLength);
        buffer.fill(0);
      }
    } finally {
      source.closed += 1;
    }
  }
  return source;
}

const read = async (content: Content): Promise<Buffer> => Buffer.from(await collect(await content(), size));

describe("slices", () => {
  test("that follow one another open the content once", async () => {
    const source = reused();
    const again = rereadable(source.content, { digest, size });
    const parts = [
      await read(again.slice(0, 100)),
      await read(again.slice(100, 500)),
      await read(again.slice(600, 400)),
    ];
    expect(Buffer.concat(parts)).toEqual(Buffer.from(bytes));
    expect(source).toMatchObject({ opened: 1, closed: 1 });
  });

  test("that go back, or ahead, open it again", async () => {
    const source = reused();
    const again = rereadable(source.content, { digest, size });
    await read(again.slice(0, 100));
    expect(await read(again.slice(0, 100))).toEqual(Buffer.from(bytes.subarray(0, 100)));
    expect(await read(again.slice(777))).toEqual(Buffer.from(bytes.subarray(777)));
    expect(source).toMatchObject({ opened: 3, closed: 3 });
  });

  test("that are still read do not take from the next", async () => {
    const source = reused();
    const again = rereadable(source.content, { digest, size });
    const left = (await again.slice(0, size)())[Symbol.asyncIterator]();
    await left.next();
    const pending = left.next();
    const next = read(again.slice(0, size));
    await pending.catch(() => {});
    expect(await next).toEqual(Buffer.from(bytes));
    expect(again.failure).toBeUndefined();
    await again.close();
    expect(source.closed).toBe(source.opened);
  });

  test("of content that is still being opened do not come to life later", async () => {
    const source = reused();
    const { promise, resolve } = Promise.withResolvers<void>();
    let first = true;
    const slow: Content = async () => {
      const wait = first;
      first = false;
      if (wait) await promise;
      return source.content();
    };
    const again = rereadable(slow, { digest, size });
    const left = (await again.slice(0, size)())[Symbol.asyncIterator]().next();
    const next = await read(again.slice(0, size));
    resolve();
    await expect(left).rejects.toThrow("another slice");
    expect(next).toEqual(Buffer.from(bytes));
    expect(again.failure).toBeUndefined();
  });
});

test("what was promised is checked, whichever part is read", async () => {
  const source = reused();
  const again = rereadable(source.content, { digest: randomBlob("other").descriptor.digest, size });
  await read(again.slice(0, 100));
  await expectCode("UNVERIFIED", () => read(again.slice(100)));
  expect(again.failure).toBeDefined();
});

test("the content's own error is kept; that of a signal is not one", async () => {
  const mine = new Error("gone");
  const broken = rereadable(() => Promise.reject(mine), { digest });
  await expect(read(broken.slice(0))).rejects.toBe(mine);
  expect(broken.failure?.error).toBe(mine);
  const aborted = rereadable(reused().content, { digest, signal: AbortSignal.abort() });
  await expectCode("ABORTED", () => read(aborted.slice(0)));
  expect(aborted.failure).toBeUndefined();
});

test("content is measured by reading it", async () => {
  expect(await rereadable(reused().content, { digest }).measure()).toBe(1000);
});
