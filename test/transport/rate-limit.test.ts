import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limit } from "../../src/transport/limit.ts";
import { quotas } from "../../src/transport/quotas.ts";
import { parseQuota } from "../../src/transport/rate-limit.ts";
import { discard } from "../../src/transport/transport.ts";
import { instantClock } from "../support/instant-clock.ts";
import { ask, recorder, respond, scripted } from "./support.ts";

const now = Date.parse("2026-11-20T12:00:00Z");

test.each<[Record<string, string>, object | undefined]>([
  [{}, undefined],
  [
    { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600", "docker-ratelimit-source": "192.0.2.7" },
    { limit: 100, remaining: 76, windowSeconds: 21_600, source: "192.0.2.7" },
  ],
  [{ "ratelimit-remaining": "0;w=60" }, { remaining: 0, windowSeconds: 60 }],
  [
    { "ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "5", "ratelimit-reset": "30" },
    { limit: 100, remaining: 5, windowSeconds: 60, resetSeconds: 30 },
  ],
  [
    { ratelimit: "limit=100, remaining=7, reset=30", "ratelimit-policy": "100;w=60" },
    { limit: 100, remaining: 7, windowSeconds: 60, resetSeconds: 30 },
  ],
  [
    { ratelimit: '"default";r=7;t=30', "ratelimit-policy": '"default";q=100;w=60' },
    { limit: 100, remaining: 7, windowSeconds: 60, resetSeconds: 30 },
  ],
  [
    { "x-ratelimit-limit": "2000", "x-ratelimit-remaining": "1999", "x-ratelimit-reset": `${now / 1000 + 90}` },
    { limit: 2000, remaining: 1999, resetSeconds: 90 },
  ],
  [
    { "x-ratelimit-remaining": "3", "x-ratelimit-reset": `${now - 5000}` },
    { remaining: 3, resetSeconds: 0 },
  ],
  [{ "ratelimit-limit": "100" }, undefined],
  [{ "ratelimit-remaining": "-1" }, undefined],
  [{ "ratelimit-remaining": "many" }, undefined],
  [{ "ratelimit-remaining": "1e3" }, undefined],
  [{ ratelimit: "remaining=" }, undefined],
  [
    { "ratelimit-remaining": "5", "docker-ratelimit-source": "\u001b[2Ja b" },
    { remaining: 5, source: "[2Jab" },
  ],
])("%j: %j", (headers, expected) => {
  expect(parseQuota(headers, now)).toEqual(expected);
});

test("whatever stands there, numbers are numbers from 0 on", () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^"?[a-z]*"?[;,= \dwrtq]*$/),
    fc.stringMatching(/^-?\d{0,20}(\.\d)?(;w=-?\d{0,20})?$/),
    fc.stringMatching(/^(limit|remaining|reset|r|t)=-?\d{0,20}(, *remaining=\d{0,20})?$/),
  );
  let numbers = 0;
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      const told = parseQuota(
        { "ratelimit-limit": a, "ratelimit-remaining": b, "ratelimit-reset": c, ratelimit: c },
        now,
      );
      for (const value of Object.values(told ?? {})) {
        expect(value).toBeGreaterThanOrEqual(0);
        numbers += 1;
      }
    }),
    { numRuns: 1000 },
  );
  expect(numbers).toBeGreaterThan(0);
});

describe("what hosts told", () => {
  test("is kept, and each change told once", async () => {
    const { events, onEvent } = recorder();
    const book = quotas({ clock: instantClock(), onEvent });
    const headers = { "ratelimit-remaining": "5;w=60" };
    for (const answer of [headers, headers, {}, { "ratelimit-remaining": "4;w=60" }])
      book.note("registry.example", answer);
    expect(events).toEqual([
      { type: "quota", host: "registry.example", remaining: 5, windowSeconds: 60 },
      { type: "quota", host: "registry.example", remaining: 4, windowSeconds: 60 },
    ]);
    expect(book.find("registry.example")).toEqual({ remaining: 4, windowSeconds: 60, at: 0 });
    expect(book.find("other.example")).toBeUndefined();
  });

  test.each([
    ["shuts the gate where nothing is left, until the limit starts anew", "0", "20", [20_000]],
    ["leaves it open where something is", "1", "20", []],
    ["leaves it open where that takes too long", "0", "301", []],
    ["leaves it open where nobody knows how long that takes", "0", undefined, []],
  ])("%s", async (_, remaining, reset, waits) => {
    let now = 0;
    const slept: number[] = [];
    const clock = {
      now: () => now,
      random: () => 0,
      sleep: async (ms: number) => {
        slept.push(ms);
        now += ms;
      },
    };
    const headers = { "ratelimit-remaining": remaining, ...(reset !== undefined && { "ratelimit-reset": reset }) };
    const net = scripted(respond(200, headers), respond(200));
    const { events, onEvent } = recorder();
    const transport = limit({ clock, onEvent, quotas: quotas({ clock }) })(net);
    for (let i = 0; i < 2; i++) await discard(await transport(ask("https://registry.example/v2/app/manifests/v1")));
    expect(slept).toEqual(waits);
    expect(events).toHaveLength(waits.length);
  });
});
