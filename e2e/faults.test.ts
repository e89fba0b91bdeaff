import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fault, type FaultRule, faultyProxy } from "../test/support/faults.ts";
import { type Dice, dice } from "./support/dice.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { digestAt, pushImage } from "./support/push.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, gantryPath, must, type Outcome, run } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// `gantry copy` through connections that fail: it ends with the right bytes, or with a clear error; never with wrong bytes.
const layerSize = 1_200_000;
/** Where in a body something happens. */
const places = [0, 1, 1000, 65_536, 700_000, layerSize];
/** A proxy before one end of the copy. */
const ends = [
  { end: "the source", kind: "docker" },
  { end: "the source", kind: "gantry" },
  { end: "the destination", kind: "docker" },
  { end: "the destination", kind: "gantry" },
] as const;
type End = (typeof ends)[number];

let work: string;
let image: MadeImage;
let registries: Readonly<Record<"docker" | "gantry", RunningRegistry>>;
let serial = 0;

const ask =
  (method: string, path: RegExp): FaultRule["match"] =>
  (got, url) =>
    got === method && path.test(url);
const requests: Readonly<Record<End["end"], Readonly<Record<string, FaultRule["match"]>>>> = {
  "the source": {
    "GET of a tag": ask("GET", /\/manifests\/v1/),
    "GET of a manifest": ask("GET", /\/manifests\/sha256/),
    "GET of a blob": ask("GET", /\/blobs\/sha256/),
  },
  "the destination": {
    "HEAD of a blob": ask("HEAD", /\/blobs\//),
    "POST of an upload": ask("POST", /\/blobs\/uploads/),
    "PUT of a blob": (method, url) => /^(PUT|PATCH)$/.test(method) && url.includes("/blobs/uploads/"),
    "PUT of a manifest": ask("PUT", /\/manifests\/sha256/),
    "PUT of a tag": ask("PUT", /\/manifests\/v1/),
  },
};
const answers: readonly (Fault & { fault: "answer" })[] = [
  { fault: "answer", status: 429, retryAfter: 1 },
  { fault: "answer", status: 429 },
  { fault: "answer", status: 500 },
  { fault: "answer", status: 502 },
  { fault: "answer", status: 503, retryAfter: 1 },
];

interface Ended extends Outcome {
  /** `host/name` behind the proxy. */
  readonly place: string;
  readonly faults: number;
}

/** Copies with a faulty proxy before one end, and says how that ended. */
async function copyThrough({ end, kind }: End, rules: readonly FaultRule[]): Promise<Ended> {
  const { host } = registries[kind];
  const other = registries[kind === "docker" ? "gantry" : "docker"].host;
  const proxy = await faultyProxy(host, rules);
  const name = `faults/${(serial += 1)}`;
  const [from, to] = end === "the source" ? [proxy.host, other] : [other, proxy.host];
  try {
    const args = ["copy", "--progress", "none", `${from}/source:v1`, `${to}/${name}:v1`];
    const outcome = await run(gantryPath, args, { timeout: 60_000 });
    return { ...outcome, place: `${end === "the source" ? other : host}/${name}`, faults: proxy.faults };
  } finally {
    await proxy.close();
  }
}

async function expectWhole({ place, ...ended }: Ended): Promise<void> {
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
  expect(await digestAt(`${place}:v1`, image)).toBe(image.root.digest);
  expect(await faultsOf(place, image)).toEqual([]);
}

/** The tag names the right bytes or nothing, unless the error says that the registry got others; and the next run mends it. */
async function expectNothingWrong(ended: Ended, from: string): Promise<void> {
  const { code, place, stderr } = ended;
  if (code === 0) return expectWhole(ended);
  expect([1, 5]).toContain(code);
  expect(stderr).toMatch(/^error: /m);
  expect(stderr).not.toMatch(/internal error|^ +at .*:\d+:\d+/m);
  const visible = await digestAt(`${place}:v1`, image);
  if (visible === image.root.digest) expect(await faultsOf(place, image)).toEqual([]);
  else if (visible !== undefined) expect(stderr).toMatch(/stored manifest .* as sha256:/);
  await must(gantry("copy", "--progress", "none", from, `${place}:v1`));
  expect(await digestAt(`${place}:v1`, image)).toBe(image.root.digest);
  expect(await faultsOf(place, image)).toEqual([]);
}

describeWith("docker-registry", "a copy through faults", () => {
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-faults-"));
    const platforms = ["linux/amd64", "linux/arm64"];
    image = await makeImage(join(work, "layout"), { tag: "v1", platforms, layers: 1, layerSize });
    const [docker, gantry] = await Promise.all([startDockerRegistry(), startGantryRegistry()]);
    registries = { docker, gantry };
    for (const { host } of [docker, gantry]) await pushImage(join(work, "layout"), image, `${host}/source:v1`);
  });
  afterAll(async () => {
    await Promise.all(Object.values(registries ?? {}).map((registry) => registry.stop()));
    await rm(work, { recursive: true, force: true });
  });

  const sourceOf = ({ end, kind }: End): string =>
    `${registries[(end === "the source") === (kind === "docker") ? "docker" : "gantry"].host}/source:v1`;

  describe.concurrent.each(ends)("at $end, $kind, gets over", (at) => {
    const on = at.end === "the source" ? "response" : "request";
    const body = at.end === "the source" ? "GET of a blob" : "PUT of a blob";
    const single: { name: string; fault: Fault; request: string }[] = [
      ...places.flatMap((place): { name: string; fault: Fault; request: string }[] => [
        { name: `a connection cut at byte ${place}`, fault: { fault: "drop", on, at: place }, request: body },
        { name: `a delay at byte ${place}`, fault: { fault: "delay", on, at: place, ms: 150 }, request: body },
      ]),
      ...Object.keys(requests[at.end]).flatMap((request) => [
        { name: "a lost answer", fault: { fault: "drop", on: "head" } as const, request },
        ...answers.map((fault) => ({ name: `${fault.status}`, fault, request })),
      ]),
    ];
    const truncated = at.end === "the source" ? places : [];
    const cuts = truncated.map((place) => ({
      name: `an answer that ends at byte ${place}`,
      fault: { fault: "truncate", at: place } as const,
      request: body,
    }));

    test.each([...single, ...cuts])("$name, $request", async ({ fault, request }) => {
      const ended = await copyThrough(at, [{ match: requests[at.end][request]!, nth: 1, do: fault }]);
      expect(ended.faults).toBe(1);
      await expectWhole(ended);
    });
  });

  describe.concurrent.each(ends)("at $end, $kind, leaves nothing wrong behind", (at) => {
    const on = at.end === "the source" ? "response" : "request";
    const cases = Object.keys(requests[at.end])
      .filter((request) => /GET|PUT/.test(request))
      .flatMap((request) =>
        [0, 20, ...(request.endsWith("blob") ? places.slice(2, -1) : [])].map((place) => ({ request, place })),
      );

    test.each(cases)("where a bit flips at byte $place, $request", async ({ request, place }) => {
      const rule = { match: requests[at.end][request]!, do: { fault: "corrupt", on, at: place } } as const;
      await expectNothingWrong(await copyThrough(at, [{ ...rule, nth: 1 }]), sourceOf(at));
      const always = await copyThrough(at, [rule]);
      expect(always.code).not.toBe(0);
      await expectNothingWrong(always, sourceOf(at));
    });
  });

  describe.concurrent.each(ends)("at $end, $kind, fails in time and says why", (at) => {
    const always: readonly { name: string; fault: Fault; says: RegExp }[] = [
      { name: "429", fault: { fault: "answer", status: 429, retryAfter: 0 }, says: /429/ },
      { name: "503", fault: { fault: "answer", status: 503, retryAfter: 0 }, says: /503/ },
      { name: "429 for an hour", fault: { fault: "answer", status: 429, retryAfter: 3600 }, says: /429/ },
      { name: "lost answers", fault: { fault: "drop", on: "head" }, says: /broke|closed|ended|connection/i },
    ];
    test.each(always)("$name, always", async ({ fault, says }) => {
      const ended = await copyThrough(at, [{ match: () => true, do: fault }]);
      expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(says) });
      expect(await digestAt(`${ended.place}:v1`, image)).toBe(undefined);
    });
  });

  test.concurrent.each(Array.from({ length: 32 }, (_, seed) => ({ seed, ...ends[seed % ends.length]! })))(
    "many faults at $end, $kind, by dice: seed $seed",
    async ({ seed, ...at }) => {
      await expectNothingWrong(await copyThrough(at, manyFaults(at.end, dice(seed))), sourceOf(at));
    },
  );
});

/** Rules for about a dozen of the exchanges of a copy. */
function manyFaults(end: End["end"], { below, pick }: Dice): readonly FaultRule[] {
  const on = end === "the source" ? "response" : "request";
  const fault = (): Fault => {
    const at = below(2) === 0 ? below(3000) : below(layerSize);
    const body: readonly Fault[] = [
      { fault: "drop", on, at },
      { fault: "corrupt", on, at },
      { fault: "delay", on, at, ms: below(200) },
      { fault: "drop", on: "head" },
      { fault: "answer", status: pick([429, 500, 502, 503, 504]), retryAfter: 0 },
      ...(end === "the source" ? [{ fault: "truncate", at } as const] : []),
    ];
    return pick(body);
  };
  const matches = Object.values(requests[end]);
  return Array.from({ length: 12 }, () => ({ match: pick(matches), nth: 1 + below(4), do: fault() }));
}
