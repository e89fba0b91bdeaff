import { describe, expect, test } from "vitest";
import { streamOf } from "../../src/oci/stream.ts";
import { aborted, type Clock } from "../../src/transport/clock.ts";
import { limit } from "../../src/transport/limit.ts";
import { discard, type Req, type Res, type Transport } from "../../src/transport/transport.ts";
import { ask, recorder } from "./support.ts";

const host = "https://registry.example";
const blob = (n: number): Req => ask(`${host}/v2/app/blobs/${n}`);
const manifest = (n: number): Req => ask(`${host}/v2/app/manifests/${n}`);

/** A server that answers when it is told to. */
function manual(): {
  transport: Transport;
  inside: () => readonly string[];
  answer: (path: string, status?: number, headers?: Record<string, string>) => Promise<void>;
} {
  const waiting = new Map<string, (response: Res) => void>();
  return {
    transport: ({ method, url }) =>
      new Promise((resolve) => waiting.set(`${method} ${url.pathname.split("/").slice(3).join("/")}`, resolve)),
    inside: () => [...waiting.keys()],
    async answer(path, status = 200, headers = {}) {
      const resolve = waiting.get(path)!;
      waiting.delete(path);
      resolve({ status, headers, body: streamOf(Buffer.from("x")) });
      await settle();
    },
  };
}

/** Lets all that can go on do so. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A clock that stands still until it is moved. */
function manualClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = 0;
  const sleepers = new Set<{ readonly at: number; wake(): void }>();
  return {
    now: () => now,
    random: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(aborted(signal)));
        sleepers.add({ at: now + ms, wake: resolve });
      }),
    async advance(ms) {
      now += ms;
      for (const sleeper of sleepers) if (sleeper.at <= now && sleepers.delete(sleeper)) sleeper.wake();
      await settle();
    },
  };
}

test("so many at a time, blobs in order, manifests before them; a slot is free when the body is", async () => {
  const server = manual();
  const transport = limit({ start: 2, max: 2 })(server.transport);
  const responses = [blob(1), blob(2), blob(3), manifest(1), ask(`${host}/v2/app/blobs/4`, "HEAD")].map((request) =>
    transport(request),
  );
  await settle();
  expect(server.inside()).toEqual(["GET blobs/1", "GET blobs/2"]);
  await server.answer("GET blobs/1");
  expect(server.inside()).toEqual(["GET blobs/2"]);
  for await (const _ of (await responses[0]!).body);
  await settle();
  expect(server.inside()).toEqual(["GET blobs/2", "GET manifests/1"]);
  await server.answer("GET blobs/2");
  await discard(await responses[1]!);
  await settle();
  expect(server.inside()).toEqual(["GET manifests/1", "HEAD blobs/4"]);
  await server.answer("HEAD blobs/4");
  await responses[4];
  await settle();
  expect(server.inside()).toEqual(["GET manifests/1", "GET blobs/3"]);
});

test("a push has slots of its own, and so has each host", async () => {
  const server = manual();
  const transport = limit({ start: 1 })(server.transport);
  void transport(blob(1));
  void transport(ask(`${host}/v2/app/blobs/uploads/`, "POST"));
  void transport(ask("https://other.example/v2/app/blobs/2"));
  await settle();
  expect(server.inside()).toEqual(["GET blobs/1", "POST blobs/uploads/", "GET blobs/2"]);
});

test("who is aborted in the line leaves it; a failure frees the slot", async () => {
  let fail: (error: Error) => void = () => {};
  const entered: string[] = [];
  const transport = limit({ start: 1 })(({ url }) => {
    entered.push(url.pathname.split("/").at(-1)!);
    return new Promise((_, reject) => (fail = reject));
  });
  const controller = new AbortController();
  const first = transport(blob(1));
  const second = transport({ ...blob(2), signal: controller.signal });
  const third = transport(blob(3));
  third.catch(() => {});
  controller.abort();
  await expect(second).rejects.toMatchObject({ code: "ABORTED" });
  fail(new Error("broken"));
  await expect(first).rejects.toThrow("broken");
  await settle();
  expect(entered).toEqual(["1", "3"]);
});

describe("how many", () => {
  const run = async (transport: Transport, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await discard(await transport(manifest(i)));
  };
  /** How many requests are let in at once. */
  const width = async (transport: Transport, open: () => number): Promise<number> => {
    const held = Array.from({ length: 40 }, (_, i) => transport(blob(i)));
    for (const one of held) one.catch(() => {});
    await settle();
    return open();
  };
  const server = (
    statuses: () => { status: number; headers?: Record<string, string> },
  ): { transport: Transport; open: () => number } => {
    let open = 0;
    return {
      open: () => open,
      transport: async ({ url }) => {
        if (url.pathname.includes("/blobs/")) {
          open++;
          return new Promise(() => {});
        }
        const { status, headers = {} } = statuses();
        return { status, headers, body: streamOf(Buffer.from("x")) };
      },
    };
  };

  test.each([
    ["sixteen at first", 0, 16],
    ["one more after as many successes", 16, 17],
    ["and so on", 16 + 17, 18],
    ["thirty-two at most", 10_000, 32],
  ])("%s", async (_, successes, expected) => {
    const { transport, open } = server(() => ({ status: 200 }));
    const limited = limit()(transport);
    await run(limited, successes);
    expect(await width(limited, open)).toBe(expected);
  });

  test.each([429, 503])("half after a %i, once for those that come together, never none", async (status) => {
    const clock = manualClock();
    const { events, onEvent } = recorder();
    const { transport, open } = server(() => ({ status }));
    const limited = limit({ clock, onEvent })(transport);
    await run(limited, 3);
    expect(events).toEqual([{ type: "throttle", host: "registry.example", direction: "pull", slots: 8, closedMs: 0 }]);
    for (let i = 0; i < 6; i++) {
      await clock.advance(100);
      await run(limited, 1);
    }
    expect(await width(limited, open)).toBe(1);
  });

  test("none while Retry-After lasts, to that host in that direction", async () => {
    const clock = manualClock();
    const { transport, open } = server(() => ({ status: 429, headers: { "retry-after": "5" } }));
    const limited = limit({ clock })(transport);
    await run(limited, 1);
    expect(await width(limited, open)).toBe(0);
    await discard(await limited(ask(`${host}/v2/app/manifests/x`, "PUT")));
    await clock.advance(4999);
    expect(open()).toBe(0);
    await clock.advance(1);
    expect(open()).toBe(8);
  });

  test("a Retry-After beyond all patience concerns only who got it", async () => {
    const { transport, open } = server(() => ({ status: 429, headers: { "retry-after": "21600" } }));
    const limited = limit({ clock: manualClock() })(transport);
    await run(limited, 1);
    expect(await width(limited, open)).toBe(8);
  });
});

test("of uploads of much, fewer at a time; the small ones go past them", async () => {
  const server = manual();
  const transport = limit({ uploads: 2 })(server.transport);
  const put = (name: string, size: number): Req =>
    ask(`${host}/v2/app/blobs/uploads/${name}`, "PUT", { body: { size, open: async () => streamOf(Buffer.alloc(0)) } });
  const MiB = 1024 * 1024;
  const responses = [put("1", 5 * MiB), put("2", 5 * MiB), put("3", 5 * MiB), put("4", MiB)].map((request) =>
    transport(request),
  );
  await settle();
  expect(server.inside().toSorted()).toEqual(["PUT blobs/uploads/1", "PUT blobs/uploads/2", "PUT blobs/uploads/4"]);
  await server.answer("PUT blobs/uploads/1");
  expect(server.inside()).toContain("PUT blobs/uploads/3");
  for (const name of ["2", "3", "4"]) await server.answer(`PUT blobs/uploads/${name}`);
  for (const response of responses) await discard(await response);
});

test("an upload that waits for its turn ends with its signal, and takes nobody's place", async () => {
  const server = manual();
  const transport = limit({ uploads: 1 })(server.transport);
  const put = (name: string, signal?: AbortSignal): Promise<Res> =>
    transport(
      ask(`${host}/v2/app/blobs/uploads/${name}`, "PUT", {
        body: { size: 5 * 1024 * 1024, open: async () => streamOf(Buffer.alloc(0)) },
        ...(signal && { signal }),
      }),
    );
  const stop = new AbortController();
  const first = put("1");
  const second = put("2", stop.signal);
  const third = put("3");
  await settle();
  stop.abort();
  await expect(second).rejects.toMatchObject({ code: "ABORTED" });
  await server.answer("PUT blobs/uploads/1");
  expect(server.inside()).toEqual(["PUT blobs/uploads/3"]);
  await server.answer("PUT blobs/uploads/3");
  for (const response of [first, third]) await discard(await response);
});
