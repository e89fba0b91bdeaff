import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { collect, streamOf, type ByteStream, type Content } from "../../src/oci/stream.ts";
import { fanOut, type Reader } from "../../src/graph/fan-out.ts";

const text = async (stream: ByteStream): Promise<string> => Buffer.from(await collect(stream, 1_000_000)).toString();
const read = async (reader: Reader): Promise<string> => text(await reader.content());

/** Content that tells how often it was opened, how many pieces were taken, and how many streams were given up. */
function watched(
  pieces: readonly string[],
  failure?: unknown,
): { readonly content: Content; readonly seen: { opened: number; taken: number; closed: number } } {
  const seen = { opened: 0, taken: 0, closed: 0 };
  async function* stream(): ByteStream {
    let whole = false;
    try {
      for (const piece of pieces) {
        seen.taken += 1;
        yield Buffer.from(piece);
      }
      if (failure !== undefined) throw failure;
      whole = true;
    } finally {
      if (!whole) seen.closed += 1;
    }
  }
  return { content: async () => ((seen.opened += 1), stream()), seen };
}

/** Lets everything that is ready happen. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await turn();
};

function fakeTimers(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

test("one reader gets the content itself", async () => {
  const { content, seen } = watched(["a"]);
  const [only] = fanOut(content, 1);
  expect(only!.content).toBe(content);
  only!.leave();
  expect(seen.opened).toBe(0);
});

test("several readers read the source once, each all of it", async () => {
  const { content, seen } = watched(["a", "b", "c"]);
  const readers = fanOut(content, 3);
  expect(await Promise.all(readers.map(read))).toEqual(["abc", "abc", "abc"]);
  expect(seen).toEqual({ opened: 1, taken: 3, closed: 0 });
});

test("nothing is opened before each reader has asked or left", async () => {
  const { content, seen } = watched(["a"]);
  const [first, second, third] = fanOut(content, 3);
  const reading = [read(first!), read(second!)];
  await settle();
  expect(seen.opened).toBe(0);
  third!.leave();
  expect(await Promise.all(reading)).toEqual(["a", "a"]);
  expect(seen.opened).toBe(1);
});

test("nothing is opened at all where every reader leaves", async () => {
  const { content, seen } = watched(["a"]);
  for (const reader of fanOut(content, 2)) reader.leave();
  await settle();
  expect(seen.opened).toBe(0);
  const [first, second] = fanOut(content, 2);
  await first!.content();
  first!.leave();
  second!.leave();
  await settle();
  expect(seen.opened).toBe(0);
});

test("a piece is taken when all have passed on the one before: a reused buffer does no harm", async () => {
  const buffer = Buffer.alloc(1);
  async function* reused(): ByteStream {
    for (const letter of "abcdef") {
      buffer.write(letter);
      yield buffer;
      buffer.fill(0);
    }
  }
  const [fast, slow] = fanOut(async () => reused(), 2);
  const seen: string[] = [];
  const dawdle = async (): Promise<string> => {
    let got = "";
    for await (const piece of await slow!.content()) {
      await settle();
      got += Buffer.from(piece).toString();
      seen.push(got);
    }
    return got;
  };
  expect(await Promise.all([read(fast!), dawdle()])).toEqual(["abcdef", "abcdef"]);
  expect(seen).toHaveLength(6);
});

test("a reader that leaves in the middle does not hold the others up", async () => {
  const { content, seen } = watched(["a", "b", "c"]);
  const [staying, leaving] = fanOut(content, 2);
  const [whole, part] = [
    read(staying!),
    (async () => {
      for await (const piece of await leaving!.content()) return Buffer.from(piece).toString();
      return "";
    })(),
  ];
  expect(await Promise.all([whole, part])).toEqual(["abc", "a"]);
  expect(seen).toEqual({ opened: 1, taken: 3, closed: 0 });
});

test("a reader that fails does not fail the others", async () => {
  const { content } = watched(["a", "b"]);
  const [good, bad] = fanOut(content, 2);
  const failing = (async () => {
    for await (const _ of await bad!.content()) throw new Error("disk full");
  })();
  const whole = read(good!);
  await expect(failing).rejects.toThrow("disk full");
  expect(await whole).toBe("ab");
});

test("a reader that never reads holds the others up only until it leaves", async () => {
  const { content } = watched(["a", "b"]);
  const [good, idle] = fanOut(content, 2);
  let done = false;
  const whole = read(good!).finally(() => (done = true));
  const stream = await idle!.content();
  await settle();
  expect(done).toBe(false);
  idle!.leave();
  expect(await whole).toBe("ab");
  await expect(text(stream)).rejects.toMatchObject({ code: "ABORTED" });
});

test("a stream that is given up before its first piece is left", async () => {
  const { content } = watched(["a", "b"]);
  const [good, other] = fanOut(content, 2);
  const whole = read(good!);
  await (await other!.content())[Symbol.asyncIterator]().return?.();
  expect(await whole).toBe("ab");
});

test("the source is given up when all have left", async () => {
  const { content, seen } = watched(["a", "b", "c", "d"]);
  const first = async (reader: Reader): Promise<void> => {
    for await (const _ of await reader.content()) break;
  };
  await Promise.all(fanOut(content, 2).map(first));
  await settle();
  expect(seen).toEqual({ opened: 1, taken: 1, closed: 1 });
});

test.each([new RegistryError("NETWORK", "the connection broke"), undefined])(
  "what the source throws (%s) reaches every reader",
  async (failure) => {
    async function* broken(): ByteStream {
      yield Buffer.from("a");
      throw failure;
    }
    const readings = await Promise.allSettled(fanOut(async () => broken(), 2).map(read));
    expect(readings).toEqual([
      { status: "rejected", reason: failure },
      { status: "rejected", reason: failure },
    ]);
  },
);

test("a source that does not open fails every reader, who may try again alone", async () => {
  let tries = 0;
  const content: Content = async () => {
    tries += 1;
    if (tries === 1) throw new RegistryError("UNAVAILABLE", "not now");
    return streamOf(Buffer.from("a"));
  };
  const readers = fanOut(content, 2);
  const readings = await Promise.allSettled(readers.map(read));
  expect(readings.map((one) => one.status)).toEqual(["rejected", "rejected"]);
  expect(await Promise.all(readers.map(read))).toEqual(["a", "a"]);
  expect(tries).toBe(3);
});

test("who asks again gets the content opened for itself", async () => {
  const { content, seen } = watched(["a"]);
  const readers = fanOut(content, 2);
  await Promise.all(readers.map(read));
  expect(await read(readers[0]!)).toBe("a");
  expect(seen.opened).toBe(2);
});

test("the first wait two seconds for the rest; who comes later reads alone", async () => {
  fakeTimers();
  const { content, seen } = watched(["a", "b"]);
  const [first, late] = fanOut(content, 2);
  const reading = read(first!);
  await vi.advanceTimersByTimeAsync(1999);
  expect(seen.opened).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(await reading).toBe("ab");
  expect(await read(late!)).toBe("ab");
  expect(seen.opened).toBe(2);
});

test("no timer is left behind", async () => {
  fakeTimers();
  const { content } = watched(["a"]);
  await Promise.all(fanOut(content, 2).map(read));
  const [first, second] = fanOut(content, 2);
  await first!.content();
  first!.leave();
  second!.leave();
  await settle();
  expect(vi.getTimerCount()).toBe(0);
});

test("whoever leaves, fails or dawdles, the others get all, and nothing hangs", async () => {
  const behaviour = fc.record({
    kind: fc.constantFrom("read", "leave", "break", "throw", "return", "dawdle"),
    after: fc.nat(4),
    delay: fc.nat(3),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 2, maxLength: 5 }),
      fc.array(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 5 }),
      async (behaviours, pieces) => {
        const { content, seen } = watched(pieces);
        const whole = pieces.join("");
        const run = async (reader: Reader, { kind, after, delay }: (typeof behaviours)[number]): Promise<void> => {
          for (let i = 0; i < delay; i++) await turn();
          if (kind === "leave") return;
          const stream = await reader.content();
          if (kind === "return") return void (await stream[Symbol.asyncIterator]().return?.());
          const got: Uint8Array[] = [];
          for await (const piece of stream) {
            if (kind === "break" && got.length === after) return;
            if (kind === "throw" && got.length === after) throw new Error("mine");
            if (kind === "dawdle") await turn();
            got.push(Uint8Array.from(piece));
          }
          expect(Buffer.concat(got).toString()).toBe(whole);
        };
        await Promise.all(
          fanOut(content, behaviours.length).map(async (reader, i) => {
            await run(reader, behaviours[i]!)
              .catch((error: Error) => expect(error.message).toBe("mine"))
              .finally(() => reader.leave());
          }),
        );
        expect(seen.opened).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 100 },
  );
});
