import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { contentOf } from "../../src/oci/stream.ts";
import { retryAfter } from "../../src/transport/retry-after.ts";
import { networkError } from "../../src/transport/network-error.ts";
import { retry, type RetrySettings } from "../../src/transport/retry.ts";
import { instantClock } from "../support/instant-clock.ts";
import { ask, recorder, respond, scripted } from "./support.ts";

const url = "https://registry.example/v2/app/blobs/sha256:ab?signature=secret";
const reset = (): RegistryError => new RegistryError("NETWORK", "broke off", { retryable: true });

describe("what is sent again", () => {
  test.each([408, 425, 429, 499, 500, 502, 503, 504, 520, 522, 524])("an answer of %i", async (status) => {
    const net = scripted(respond(status), respond(200));
    expect(await retry({ clock: instantClock() })(net)(ask(url))).toMatchObject({ status: 200 });
  });

  test.each([200, 206, 307, 400, 401, 403, 404, 405, 409, 413, 416, 501, 505, 525])(
    "not an answer of %i",
    async (status) => {
      const net = scripted(respond(status));
      expect(await retry({ clock: instantClock() })(net)(ask(url))).toMatchObject({ status });
    },
  );

  test("an error that may pass, and no other", async () => {
    const passing = scripted(reset(), respond(200));
    expect(await retry({ clock: instantClock() })(passing)(ask(url))).toMatchObject({ status: 200 });
    const lasting = new RegistryError("NETWORK", "no such name");
    await expect(retry({ clock: instantClock() })(scripted(lasting))(ask(url))).rejects.toBe(lasting);
    const foreign = new TypeError("a mistake");
    await expect(retry({ clock: instantClock() })(scripted(foreign))(ask(url))).rejects.toBe(foreign);
  });

  test("not what is brief", async () => {
    const net = scripted(reset());
    await expect(retry({ clock: instantClock() })(net)(ask(url, "GET", { brief: true }))).rejects.toThrow("broke off");
  });

  test("not what is marked once", async () => {
    const net = scripted(respond(503));
    const body = { open: contentOf(Buffer.from("x")) };
    expect(await retry({ clock: instantClock() })(net)(ask(url, "PUT", { once: true, body }))).toMatchObject({
      status: 503,
    });
  });
});

describe("how long it waits", () => {
  test("a random part of a delay that doubles up to its cap, six attempts in all", async () => {
    const clock = instantClock();
    const net = scripted(...Array.from({ length: 6 }, () => respond(503)));
    expect(await retry({ clock, cap: 3000 })(net)(ask(url))).toMatchObject({ status: 503 });
    expect(clock.waits).toEqual([125, 250, 500, 1000, 1500]);
    await expect(retry({ clock, attempts: 2 })(scripted(reset(), reset()))(ask(url))).rejects.toMatchObject({
      code: "NETWORK",
    });
  });

  test("as long as Retry-After says, unless that is beyond all patience", async () => {
    const clock = instantClock();
    const net = scripted(respond(429, { "retry-after": "7" }), respond(200));
    await retry({ clock })(net)(ask(url));
    expect(clock.waits).toEqual([7000]);
    const forbidding = scripted(respond(429, { "retry-after": "301" }));
    expect(await retry({ clock })(forbidding)(ask(url))).toMatchObject({ status: 429 });
    const patient = scripted(respond(429, { "retry-after": "301" }), respond(200));
    expect(await retry({ clock, patience: 400_000 })(patient)(ask(url))).toMatchObject({ status: 200 });
  });

  test("as long as an error says that it was asked for", async () => {
    const clock = instantClock();
    const busy = new RegistryError("TOOMANYREQUESTS", "no more tokens", { retryable: true, retryAfter: 7000 });
    await retry({ clock })(scripted(busy, respond(200)))(ask(url));
    expect(clock.waits).toEqual([7000]);
    const closed = new RegistryError("TOOMANYREQUESTS", "no more tokens", { retryable: true, retryAfter: 301_000 });
    await expect(retry({ clock })(scripted(closed))(ask(url))).rejects.toBe(closed);
  });

  test("exactly the delay that is given at first, and no less later", async () => {
    const clock = instantClock();
    await retry({ clock, delay: 2000, cap: 10_000 })(scripted(...Array.from({ length: 6 }, () => respond(503))))(
      ask(url),
    );
    expect(clock.waits).toEqual([2000, 3000, 5000, 6000, 6000]);
    const slow = instantClock();
    await retry({ clock: slow, delay: 60_000, attempts: 3 })(
      scripted(...Array.from({ length: 3 }, () => respond(503))),
    )(ask(url));
    expect(slow.waits).toEqual([60_000, 60_000]);
  });

  test("not for long on this machine, where a connection is refused, unless that is asked for", async () => {
    const refused = (): RegistryError =>
      networkError(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), ask("http://localhost:5000/"));
    const waits = async (
      at: string,
      error: () => RegistryError,
      settings: RetrySettings = {},
    ): Promise<readonly number[]> => {
      const clock = instantClock();
      const net = scripted(...Array.from({ length: 9 }, error));
      await expect(retry({ clock, ...settings })(net)(ask(at))).rejects.toMatchObject({ code: "NETWORK" });
      return clock.waits;
    };
    expect(await waits("http://localhost:5000/v2/", refused)).toEqual([250, 500, 1000]);
    expect(await waits("http://127.0.0.1:5000/v2/", refused)).toHaveLength(3);
    expect(await waits("http://[::1]:5000/v2/", refused, { attempts: 9 })).toHaveLength(8);
    expect(await waits("http://localhost:5000/v2/", reset)).toHaveLength(5);
    expect(await waits(url, refused)).toHaveLength(5);
  });

  test("no longer than the signal allows", async () => {
    const controller = new AbortController();
    const sent = retry({ base: 1e6, cap: 1e6 })(scripted(respond(503, { "retry-after": "200" })))(
      ask(url, "GET", { signal: controller.signal }),
    );
    controller.abort();
    await expect(sent).rejects.toMatchObject({ code: "ABORTED" });
  });
});

test("each wait is told, without what is secret in the URL", async () => {
  const { events, onEvent } = recorder();
  const net = scripted(respond(503), reset(), respond(200));
  await retry({ clock: instantClock(), onEvent })(net)(ask(url));
  const common = {
    type: "wait",
    method: "GET",
    url: "https://registry.example/v2/app/blobs/sha256:ab?signature=...",
    host: "registry.example",
    attempts: 6,
  };
  expect(events).toEqual([
    { ...common, ms: 125, attempt: 1, status: 503 },
    { ...common, ms: 250, attempt: 2, error: "NETWORK", message: "broke off" },
  ]);
});

test("the body of a failed attempt is given up, so that its connection is free", async () => {
  let given = 0;
  const body = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false as const, value: Buffer.from("x") }),
      return: () => Promise.resolve({ done: true as const, value: ++given }),
    }),
  };
  await retry({ clock: instantClock() })(scripted({ status: 500, headers: {}, body }, respond(200)))(ask(url));
  expect(given).toBe(1);
});

test.each([
  ["0", 0],
  ["120", 120_000],
  ["1.5", 1500],
  [" 3 ", 3000],
  ["Fri, 31 Dec 1999 23:59:59 GMT", 9000],
  ["-1", undefined],
  ["soon", undefined],
  ["", undefined],
])("Retry-After: %j is %s ms", (text, ms) => {
  expect(retryAfter({ "retry-after": text }, Date.parse("1999-12-31T23:59:50Z"))).toBe(ms);
});

test("a date is taken against the answer's own clock, and one that has passed asks for no wait", () => {
  const headers = { date: "Fri, 31 Dec 1999 23:59:00 GMT", "retry-after": "Fri, 31 Dec 1999 23:59:30 GMT" };
  expect(retryAfter(headers, 0)).toBe(30_000);
  expect(retryAfter({ ...headers, date: "Sat, 01 Jan 2000 00:00:00 GMT" }, 0)).toBe(0);
});
