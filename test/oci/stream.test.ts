import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { collect, contentOf, sameBytes, streamOf, verified, type ByteStream } from "../../src/oci/stream.ts";
import { expectCode } from "../contract/store.ts";

const bytes = Buffer.from("some bytes");
const digest = digestOf(bytes);
const size = bytes.byteLength;
const pieces = (): ByteStream => streamOf(bytes.subarray(0, 4), bytes.subarray(4, 4), bytes.subarray(4));

async function received(stream: ByteStream): Promise<string> {
  let text = "";
  try {
    for await (const piece of stream) text += Buffer.from(piece).toString();
  } catch {
    return `${text}!`;
  }
  return text;
}

describe("verified", () => {
  test.each([{ digest }, { digest, size }])("lets the right bytes through: %o", async (promised) => {
    expect(await received(verified(pieces(), promised))).toBe("some bytes");
  });

  test("knows sha512 and nothing at all", async () => {
    expect(await received(verified(pieces(), { digest: digestOf(bytes, "sha512"), size }))).toBe("some bytes");
    expect(await received(verified(streamOf(), { digest: digestOf(""), size: 0 }))).toBe("");
  });

  test.each([
    ["other bytes", { digest: digestOf("other"), size }, "some!"],
    ["other bytes of unknown size", { digest: digestOf("other") }, "some bytes!"],
    ["too few", { digest, size: size + 1 }, "some bytes!"],
    ["too many", { digest, size: size - 1 }, "some!"],
    ["too many from the start", { digest, size: 3 }, "!"],
    ["none", { digest: digestOf("x"), size: 0 }, "!"],
  ])("throws UNVERIFIED at %s, and gives the source up", async (_, promised, before) => {
    let returned = false;
    const source = pieces()[Symbol.asyncIterator]();
    const watched = { next: () => source.next(), return: async () => ((returned = true), source.return!()) };
    const stream = { [Symbol.asyncIterator]: () => watched };
    expect(await received(verified(stream, promised))).toBe(before);
    await expectCode("UNVERIFIED", () => collect(verified(pieces(), promised), 100));
    expect(returned || before.startsWith("some bytes")).toBe(true);
  });

  test("gives up a source that was never read", async () => {
    let returned = false;
    const iterator = {
      next: async () => ({ done: false as const, value: bytes }),
      return: async () => ((returned = true), { done: true as const, value: undefined }),
    };
    await verified({ [Symbol.asyncIterator]: () => iterator }, { digest })[Symbol.asyncIterator]().return!();
    expect(returned).toBe(true);
  });

  test("does not check the same promise twice", () => {
    const once = verified(pieces(), { digest, size });
    expect(verified(once, { digest, size })).toBe(once);
    expect(verified(once, { digest })).toBe(once);
    expect(verified(once, { digest, size: size + 1 })).not.toBe(once);
    expect(verified(once, { digest: digestOf("other") })).not.toBe(once);
    const wrapper = sameBytes(pieces(), once);
    expect(verified(wrapper, { digest, size })).toBe(wrapper);
    expect(verified(sameBytes(pieces(), pieces()), { digest })).toBeInstanceOf(Object);
  });
});

test("collect copies, and stops at its limit", async () => {
  const source = Buffer.from("abc");
  const collected = await collect(streamOf(source), 3);
  source.fill(0);
  expect(Buffer.from(collected).toString()).toBe("abc");
  await expectCode("TOO_LARGE", () => collect(streamOf(Buffer.from("abcd")), 3));
  expect((await collect(await contentOf(bytes)(), 100)).byteLength).toBe(size);
});
