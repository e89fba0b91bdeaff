import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bufferPool, type BufferPool } from "../../src/transport/raw/buffers.ts";
import { inflow } from "../../src/transport/raw/inflow.ts";

const size = 64;

/** A pool that fails the test when a buffer comes back twice, and spoils what is free. */
function strictPool(): BufferPool & { readonly taken: () => number } {
  const pool = bufferPool(size, 4);
  const inUse = new Set<Buffer>();
  return {
    size,
    taken: () => inUse.size,
    take() {
      const buffer = pool.take();
      expect(inUse.has(buffer)).toBe(false);
      inUse.add(buffer);
      return buffer;
    },
    give(buffer) {
      expect(inUse.delete(buffer)).toBe(true);
      buffer.fill(0xff);
      pool.give(buffer);
    },
    forget(buffer) {
      expect(inUse.delete(buffer)).toBe(true);
      pool.forget(buffer);
    },
  };
}

type Step = { readonly write: number; readonly hurry: boolean } | { readonly ask: true } | { readonly flush: true };

const steps = fc.array(
  fc.oneof(
    fc.record({ write: fc.integer({ min: 1, max: size }), hurry: fc.boolean() }),
    fc.constant<Step>({ ask: true }),
    fc.constant<Step>({ flush: true }),
  ),
  { maxLength: 200 },
);

test("whatever the order of reading and writing, each piece stays as it was until the next is asked for, and none is lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.uint8Array({ max: 250, maxLength: 20 }),
      fc.integer({ min: 1, max: size }),
      async (plan, first, room) => {
        const pool = strictPool();
        const flow = inflow(pool, room, Buffer.from(first));
        const sent: number[] = [...first];
        const got: number[] = [];
        let held: { readonly piece: Uint8Array; readonly copy: Uint8Array } | undefined;
        let pending: Promise<void> | undefined;
        let counter = 0;
        const ask = (): void => {
          if (held) expect(Buffer.compare(held.piece, held.copy)).toBe(0);
          held = undefined;
          pending = receive();
        };
        const receive = async (): Promise<void> => {
          const { done, value } = await flow.next();
          pending = undefined;
          if (done) return;
          held = { piece: value, copy: Uint8Array.from(value) };
          got.push(...value);
        };
        let region = flow.region();
        for (const step of plan) {
          if ("write" in step) {
            const length = Math.min(step.write, region.length);
            for (let i = 0; i < length; i++) sent.push((region[i] = counter++ % 251));
            flow.wrote(length);
            if (step.hurry) flow.flush();
            region = flow.region();
          } else if ("flush" in step) flow.flush();
          else if (!pending) ask();
          await Promise.resolve();
          await Promise.resolve();
          if (held) expect(Buffer.compare(held.piece, held.copy)).toBe(0);
        }
        flow.end();
        await pending;
        while (got.length < sent.length) {
          ask();
          await pending;
        }
        expect(got).toEqual(sent);
        expect(await flow.next()).toEqual({ done: true, value: undefined });
        expect(pool.taken()).toBe(0);
      },
    ),
  );
});

test("a consumer that waits hears of a failure, and so does one that comes later", async () => {
  const flow = inflow(strictPool(), 1, Buffer.alloc(0));
  const waiting = flow.next();
  flow.fail(new Error("broken"));
  await expect(waiting).rejects.toThrow("broken");
  await expect(flow.next()).rejects.toThrow("broken");
});

test("what fails takes its buffers with it, each once", async () => {
  const pool = strictPool();
  const flow = inflow(pool, size, Buffer.from("head"));
  await flow.next();
  for (let i = 0; i < 3; i++) {
    flow.region().fill(i);
    flow.wrote(size);
  }
  await flow.next();
  flow.region();
  expect(pool.taken()).toBe(4);
  flow.fail(new Error("broken"));
  flow.fail(new Error("again"));
  expect(pool.taken()).toBe(0);
  await expect(flow.next()).rejects.toThrow("broken");
});

test("a pool hands out full buffers up to its count, smaller ones beyond, and makes good for the forgotten", () => {
  const pool = bufferPool(64, 2);
  const [one, two, three] = [pool.take(), pool.take(), pool.take()];
  expect([one, two, three].map((buffer) => buffer.length)).toEqual([64, 64, 16]);
  pool.give(three);
  expect(pool.take()).toBe(three);
  pool.give(one);
  expect(pool.take()).toBe(one);
  pool.forget(two);
  expect(pool.take()).toHaveLength(64);
});
