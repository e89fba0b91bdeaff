import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { collect, contentOf, sameBytes, streamOf, tapped, verified, type ByteStream } from "../../src/oci/stream.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const hello = { digest: digestOf("hello world"), size: 11 };

/** A source that tells what was asked of it. */
function watched(pieces: readonly (string | Error)[]): {
  readonly stream: ByteStream;
  readonly seen: { asked: number; closed: number };
} {
  const seen = { asked: 0, closed: 0 };
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => {
      const piece = pieces[seen.asked++];
      if (piece instanceof Error) return Promise.reject(piece);
      return Promise.resolve(
        piece === undefined ? { done: true, value: undefined } : { done: false, value: bytes(piece) },
      );
    },
    return: () => {
      seen.closed += 1;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { stream: { [Symbol.asyncIterator]: () => iterator }, seen };
}

/** What comes out of a stream, up to its end or its error. */
async function drain(stream: ByteStream): Promise<{ readonly text: string; readonly error?: unknown }> {
  let text = "";
  try {
    for await (const piece of stream) text += Buffer.from(piece).toString();
    return { text };
  } catch (error) {
    return { text, error };
  }
}

describe("verified", () => {
  test.for<readonly [what: string, pieces: readonly string[]]>([
    ["in one piece", ["hello world"]],
    ["in several", ["hello", " ", "world"]],
    ["with empty pieces between", ["", "hello ", "", "world", ""]],
  ])("passes the right bytes on, %s", async ([, pieces]) => {
    for (const promised of [hello, { digest: hello.digest }, { digest: digestOf("hello world", "sha512"), size: 11 }]) {
      expect(await drain(verified(watched(pieces).stream, promised))).toEqual({ text: "hello world" });
    }
  });

  test("passes nothing at all on, where that is promised", async () => {
    for (const pieces of [[], [""], ["", ""]]) {
      expect(await drain(verified(watched(pieces).stream, { digest: digestOf(""), size: 0 }))).toEqual({ text: "" });
      expect(await drain(verified(watched(pieces).stream, { digest: digestOf("") }))).toEqual({ text: "" });
    }
  });

  test.for<readonly [what: string, pieces: readonly string[], sized: boolean, out: string, message: string]>([
    ["too short", ["hello", " worl"], true, "hello worl", "10 bytes came instead of 11"],
    ["empty", [], true, "", "0 bytes came instead of 11"],
    ["too long in its last piece", ["hello ", "world!"], true, "hello ", "more bytes came instead of 11"],
    ["too long by a piece", ["hello ", "world", "!"], true, "hello world", "more bytes came instead of 11"],
    ["too long at once", ["hello world!"], true, "", "more bytes came instead of 11"],
    ["wrong in its first piece", ["jello ", "world"], true, "jello ", "its 11 bytes have the digest sha256:"],
    ["wrong in its last piece", ["hello ", "worle"], true, "hello ", "its 11 bytes have the digest sha256:"],
    ["too short for its digest", ["hello"], false, "hello", "its 5 bytes have the digest sha256:"],
    ["too long for its digest", ["hello world", "!"], false, "hello world!", "its 12 bytes have the digest sha256:"],
    ["empty, size unknown", [], false, "", `its 0 bytes have the digest ${digestOf("")}`],
  ])("refuses what is %s", async ([, pieces, sized, out, message]) => {
    const { text, error } = await drain(
      verified(watched(pieces).stream, { digest: hello.digest, ...(sized && { size: 11 }) }),
    );
    expect(text).toBe(out);
    expect(error).toMatchObject({ code: "UNVERIFIED", message: expect.stringContaining(message) });
    expect((error as Error).message).toContain(`blob ${hello.digest} is corrupt`);
  });

  test("names the thing in its error", async () => {
    const { error } = await drain(verified(streamOf(), { ...hello, what: "host.example/app: blob" }));
    expect((error as Error).message).toContain(`host.example/app: blob ${hello.digest} is corrupt`);
  });

  test("hands the source's own error on", async () => {
    const broken = new RegistryError("NETWORK", "the connection broke");
    expect(await drain(verified(watched(["hello", broken]).stream, hello))).toEqual({ text: "hello", error: broken });
  });

  test("gives its source up when it is given up, before the first piece too, and when it refuses", async () => {
    const never = watched(["hello world"]);
    await verified(never.stream, hello)[Symbol.asyncIterator]().return?.();
    expect(never.seen).toEqual({ asked: 0, closed: 1 });

    const early = watched(["hello", " world"]);
    for await (const _ of verified(early.stream, hello)) break;
    expect(early.seen).toEqual({ asked: 1, closed: 1 });

    const wrong = watched(["hello world, and more"]);
    await drain(verified(wrong.stream, hello));
    expect(wrong.seen).toEqual({ asked: 1, closed: 1 });

    const done = watched(["hello world"]);
    await drain(verified(done.stream, hello));
    expect(done.seen).toEqual({ asked: 2, closed: 0 });
  });

  test("checks once what is promised twice, and again what is promised otherwise", () => {
    const stream = streamOf(bytes("hello world"));
    const once = verified(stream, hello);
    expect(once).not.toBe(stream);
    expect(verified(once, hello)).toBe(once);
    expect(verified(once, { digest: hello.digest })).toBe(once);
    expect(verified(once, { ...hello, what: "another name" })).toBe(once);
    expect(verified(once, { ...hello, size: 12 })).not.toBe(once);
    expect(verified(once, { digest: digestOf("other"), size: 11 })).not.toBe(once);
    const unsized = verified(streamOf(), { digest: hello.digest });
    expect(verified(unsized, hello)).not.toBe(unsized);
    const wrapper: ByteStream = { [Symbol.asyncIterator]: () => once[Symbol.asyncIterator]() };
    expect(verified(wrapper, hello)).not.toBe(wrapper);
    expect(verified(sameBytes(wrapper, once), hello)).toBe(wrapper);
  });

  test("however the bytes are cut, all pass if they are the right ones, and never the last if not", async () => {
    const cut = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(cut, fc.boolean(), fc.boolean(), async (pieces, right, sized) => {
        const whole = Buffer.concat(pieces);
        const digest: Digest = right ? digestOf(whole) : digestOf(Buffer.concat([whole, bytes("!")]));
        const checked = verified(streamOf(...pieces), { digest, ...(sized && { size: whole.byteLength }) });
        const got: Uint8Array[] = [];
        const reading = (async () => {
          for await (const piece of checked) got.push(piece);
        })();
        if (right) {
          await reading;
          expect(Buffer.concat(got)).toEqual(whole);
        } else {
          await expect(reading).rejects.toMatchObject({ code: "UNVERIFIED" });
          if (sized && whole.byteLength > 0) expect(Buffer.concat(got).byteLength).toBeLessThan(whole.byteLength);
        }
      }),
    );
  });
});

describe("tapped", () => {
  test("shows each piece as it passes, and keeps what was verified", async () => {
    const seen: number[] = [];
    const checked = verified(streamOf(bytes("hello "), bytes("world")), hello);
    const tap = tapped(checked, { piece: ({ byteLength }) => void seen.push(byteLength) });
    expect(verified(tap, hello)).toBe(tap);
    expect(await drain(tap)).toEqual({ text: "hello world" });
    expect(seen).toEqual([6, 5]);
  });

  test("changes the error, and nothing else", async () => {
    const changed = new Error("changed");
    const tap = tapped(watched(["hello", new Error("first")]).stream, { failure: () => changed });
    expect(await drain(tap)).toEqual({ text: "hello", error: changed });
    const plain = new Error("plain");
    expect(await drain(tapped(watched([plain]).stream, {}))).toEqual({ text: "", error: plain });
  });

  test("gives its source up when it is given up, before the first piece too, and when the tap fails", async () => {
    const never = watched(["hello"]);
    await tapped(never.stream, {})[Symbol.asyncIterator]().return?.();
    expect(never.seen).toEqual({ asked: 0, closed: 1 });
    const failing = watched(["hello", "world"]);
    const error = new Error("enough");
    expect(await drain(tapped(failing.stream, { piece: () => Promise.reject(error) }))).toEqual({ text: "", error });
    expect(failing.seen).toEqual({ asked: 1, closed: 1 });
  });
});

describe("collect", () => {
  test("copies, so that a reused buffer does no harm", async () => {
    const buffer = Buffer.from("ab");
    async function* reused(count: number): ByteStream {
      for (let i = 0; i < count; i++) {
        buffer.fill(97 + i);
        yield buffer;
      }
    }
    for (const [count, text] of [
      [0, ""],
      [1, "aa"],
      [3, "aabbcc"],
    ] as const) {
      const got = await collect(reused(count), 100);
      buffer.fill(0);
      expect(Buffer.from(got).toString()).toBe(text);
    }
  });

  test("takes up to its limit, and gives the source up past it", async () => {
    expect(Buffer.from(await collect(watched(["hello", "world"]).stream, 10)).toString()).toBe("helloworld");
    const endless = watched(Array.from({ length: 100 }, () => "hello"));
    await expect(collect(endless.stream, 12, "the config")).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: "the config is larger than the 12 bytes allowed for it",
    });
    expect(endless.seen).toEqual({ asked: 3, closed: 1 });
  });

  test("throws what the stream throws", async () => {
    const broken = new Error("broken");
    await expect(collect(watched(["a", broken]).stream, 10)).rejects.toBe(broken);
  });
});

test("contentOf opens the same bytes again and again", async () => {
  const content = contentOf(bytes("hello"));
  expect(await drain(await content())).toEqual({ text: "hello" });
  expect(await drain(await content())).toEqual({ text: "hello" });
});
