import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { digestOf } from "../../../src/oci/digest.ts";
import { isRegistryError } from "../../../src/oci/error.ts";
import { collect, type ByteStream, type Content } from "../../../src/oci/stream.ts";
import type { Listening } from "../../../src/server/listen.ts";
import { createRegistry, type EmbeddedRegistry } from "../../../src/server/registry.ts";
import { memoryStorage } from "../../../src/server/storage/memory.ts";
import { remoteShared } from "../../../src/store/remote/shared.ts";
import { remoteStore } from "../../../src/store/remote/remote-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { retry } from "../../../src/transport/retry.ts";
import { scheme } from "../../../src/transport/scheme.ts";
import { compose, type Transport } from "../../../src/transport/transport.ts";
import { wire, type Wire } from "../../../src/transport/wire.ts";
import { faulty, faultyProxy, type Fault, type FaultRule } from "../../support/faults.ts";
import { randomBlob, type TestBlob } from "../../support/images.ts";
import { instantClock } from "../../support/instant-clock.ts";

const size = 200_000;
const offset = fc.oneof(fc.constantFrom(0, 1, size - 1), fc.integer({ min: 0, max: size - 1 }));
const side = fc.constantFrom("request", "response");

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ fault: fc.constant("drop" as const), on: side, at: offset }),
  fc.record({ fault: fc.constant("drop" as const), on: fc.constant("head" as const) }),
  fc.record({ fault: fc.constant("truncate" as const), at: offset }),
  fc.record({ fault: fc.constant("corrupt" as const), on: side, at: offset }),
  fc.record({ fault: fc.constant("answer" as const), status: fc.constantFrom(429, 500, 503) }),
);

const rule: fc.Arbitrary<FaultRule> = fc
  .record({
    method: fc.constantFrom("HEAD", "POST", "PUT", "PATCH", "GET"),
    nth: fc.integer({ min: 1, max: 4 }),
    fault,
  })
  .map(({ method, nth, fault }) => ({ match: (got) => got === method, nth, do: fault }));

const rules = fc.array(rule, { maxLength: 8 });

function storeOver(transport: Transport, registry: string, repository: string): Store {
  const clock = instantClock();
  return remoteStore({
    transport: compose(transport, retry({ clock })),
    registry,
    repository,
    clock,
    shared: remoteShared(registry),
  });
}

function contentOf({ bytes }: TestBlob, pieceSize: number): Content {
  return async () =>
    (async function* (): ByteStream {
      for (let at = 0; at < bytes.byteLength; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
    })();
}

/** Runs something that may only fail with a RegistryError. */
async function attempt<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return undefined;
  }
}

async function digestIn(store: Store, { descriptor }: TestBlob): Promise<string | undefined> {
  if ((await store.size(descriptor.digest)) === undefined) return undefined;
  return digestOf(await collect(await store.blob(descriptor.digest), size));
}

/** What must hold of a put through faults, as `clean` sees it afterwards. */
async function expectWholeOrNothing(broken: Store, clean: Store, blob: TestBlob, known: boolean): Promise<void> {
  const { digest } = blob.descriptor;
  const put = await attempt(() => broken.putBlob(known ? { digest, size } : { digest }, contentOf(blob, 33_333)));
  const found = await digestIn(clean, blob);
  if (put !== undefined) expect(found).toBe(digest);
  else expect([undefined, digest]).toContain(found);
  await clean.putBlob({ digest, size }, contentOf(blob, 50_000));
  expect(await digestIn(clean, blob)).toBe(digest);
}

/** What must hold of a read through faults. */
async function expectRightOrError(broken: Store, clean: Store, blob: TestBlob): Promise<void> {
  await clean.putBlob({ digest: blob.descriptor.digest, size }, contentOf(blob, 50_000));
  const read = await attempt(async () => collect(await broken.blob(blob.descriptor.digest), size));
  if (read) expect(digestOf(read)).toBe(blob.descriptor.digest);
}

describe("in process, through any faults", () => {
  test("a put leaves the right bytes or none", async () => {
    let serial = 0;
    await fc.assert(
      fc.asyncProperty(rules, fc.boolean(), async (faults, known) => {
        const registry = createRegistry({ storage: memoryStorage() });
        const open = (transport: Transport): Store => storeOver(transport, "registry.example", "app");
        const blob = randomBlob(`put ${(serial += 1)}`, size);
        await expectWholeOrNothing(open(faulty(registry.transport, faults)), open(registry.transport), blob, known);
        await registry.close();
      }),
      { numRuns: 300 },
    );
  });

  test("a read gives the right bytes or an error", async () => {
    const registry = createRegistry({ storage: memoryStorage() });
    const open = (transport: Transport): Store => storeOver(transport, "registry.example", "app");
    const blob = randomBlob("read", size);
    await fc.assert(
      fc.asyncProperty(rules, async (faults) => {
        await expectRightOrError(open(faulty(registry.transport, faults)), open(registry.transport), blob);
      }),
      { numRuns: 200 },
    );
  });
});

describe("on sockets, through a proxy with faults", () => {
  let registry: EmbeddedRegistry;
  let listening: Listening;
  let network: Wire;

  beforeAll(async () => {
    registry = createRegistry({ storage: memoryStorage() });
    listening = await registry.listen();
    network = wire();
  });
  afterAll(async () => {
    network.close();
    await registry.close();
  });

  async function through(
    faults: readonly FaultRule[],
    run: (broken: Store, clean: Store) => Promise<void>,
  ): Promise<number> {
    const proxy = await faultyProxy(listening.host, faults);
    const transport = compose(network, scheme());
    try {
      await run(storeOver(transport, proxy.host, "app"), storeOver(transport, listening.host, "app"));
      return proxy.faults;
    } finally {
      await proxy.close();
    }
  }

  const faults: readonly Fault[] = [
    { fault: "drop", on: "request", at: 0 },
    { fault: "drop", on: "request", at: 150_000 },
    { fault: "drop", on: "head" },
    { fault: "delay", on: "request", at: 70_000, ms: 5 },
    { fault: "answer", status: 429, retryAfter: 1 },
    { fault: "answer", status: 500 },
    { fault: "answer", status: 503, retryAfter: "Fri, 31 Dec 1999 23:59:59 GMT" },
  ];

  test.each(faults)("a put survives %o", async (fault) => {
    const blob = randomBlob(`put through ${JSON.stringify(fault)}`, size);
    const rule: FaultRule = { match: (method) => method === "PUT", nth: 1, do: fault };
    const befallen = await through([rule], async (broken, clean) => {
      expect(await broken.putBlob(blob.descriptor, contentOf(blob, 33_333))).toBe("written");
      expect(await digestIn(clean, blob)).toBe(blob.descriptor.digest);
    });
    expect(befallen).toBe(1);
  });

  test.each([
    { fault: "drop", on: "response", at: 0 },
    { fault: "drop", on: "response", at: 199_999 },
    { fault: "drop", on: "head" },
    { fault: "truncate", at: 100_000 },
    { fault: "delay", on: "response", at: 100_000, ms: 5 },
    { fault: "answer", status: 503 },
  ] as const)("a read survives %o", async (fault) => {
    const blob = randomBlob("read on a socket", size);
    const rule: FaultRule = { match: (method, url) => method === "GET" && url.includes("/blobs/"), nth: 1, do: fault };
    const befallen = await through([rule], async (broken, clean) => {
      await clean.putBlob(blob.descriptor, contentOf(blob, 33_333));
      expect(await digestIn(broken, blob)).toBe(blob.descriptor.digest);
    });
    expect(befallen).toBe(1);
  });

  test.each([
    ["a put", "PUT", "request"],
    ["a read", "GET", "response"],
  ] as const)("%s with a flipped bit is an error", async (_, method, on) => {
    const blob = randomBlob(`flipped ${method}`, size);
    const rule: FaultRule = { match: (got) => got === method, do: { fault: "corrupt", on, at: 123_456 } };
    await through([rule], async (broken, clean) => {
      if (method === "GET") await clean.putBlob(blob.descriptor, contentOf(blob, 33_333));
      const code = method === "GET" ? "UNVERIFIED" : "DIGEST_INVALID";
      const run = method === "GET" ? digestIn(broken, blob) : broken.putBlob(blob.descriptor, contentOf(blob, 33_333));
      await expect(run).rejects.toMatchObject({ code });
    });
  });

  test("any faults: a put leaves the right bytes or none, a read gives the right bytes or an error", async () => {
    let serial = 0;
    await fc.assert(
      fc.asyncProperty(rules, fc.boolean(), async (faults, known) => {
        const blob = randomBlob(`any ${(serial += 1)}`, size);
        await through(faults, (broken, clean) => expectWholeOrNothing(broken, clean, blob, known));
        await through(faults, (broken, clean) => expectRightOrError(broken, clean, blob));
      }),
      { numRuns: 40 },
    );
  });
});
