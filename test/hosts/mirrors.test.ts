import { describe, expect, test } from "vitest";
import type { Endpoint } from "../../src/hosts/endpoint.ts";
import { mirrors, refuseBlocked } from "../../src/hosts/mirrors.ts";
import { rest } from "../../src/hosts/rest.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { collect } from "../../src/oci/stream.ts";
import type { Req, Res, Transport } from "../../src/transport/transport.ts";
import { ask, recorder, respond } from "../transport/support.ts";

const endpoint = (host: string, namespace?: string): Endpoint => ({
  base: new URL(`https://${host}/v2/`),
  repository: "app",
  origin: "a file",
  ...(namespace !== undefined && { namespace }),
});
const network = (): RegistryError => new RegistryError("NETWORK", "m1 refused the connection", { retryable: true });
const digest = digestOf(Buffer.from("good"));
const manifest = "https://a.example/v2/app/manifests/1";

/** Asks `a.example`, whose mirrors are m1 and m2; each host answers by its function. */
function scene(hosts: Readonly<Record<string, () => Res | Error>>) {
  const requests: Req[] = [];
  const time = { ms: 1000 };
  const { events, onEvent } = recorder();
  const wire: Transport = async (request) => {
    requests.push(request);
    const result = hosts[request.url.host]!();
    if (result instanceof Error) throw result;
    return result;
  };
  const places = {
    endpoints: () => [
      endpoint("m1", "a.example"),
      endpoint("m2"),
      { base: new URL("https://a.example/v2/"), repository: "app" },
    ],
    checkBlocked: () => {},
  };
  const at = { registry: "a.example", places, rest: rest(() => time.ms), onEvent };
  return { requests, time, events, transport: mirrors(at)(wire), asked: () => requests.map(({ url }) => url.host) };
}

const text = async (response: Res): Promise<string> => Buffer.from(await collect(response.body, 100)).toString();

test("the first mirror that has it answers, briefly asked and told whose image it is", async () => {
  const { transport, requests } = scene({ m1: () => respond(200, {}, "from m1") });
  const response = await transport(ask(manifest));
  expect(await text(response)).toBe("from m1");
  expect(response.mirror).toBe("m1");
  expect(requests).toMatchObject([{ brief: true, url: new URL("https://m1/v2/app/manifests/1?ns=a.example") }]);
});

describe("what a mirror does not have or will not give, the next may", () => {
  test.each([400, 401, 403, 404, 416])("%i", async (status) => {
    const { transport, asked, events } = scene({ m1: () => respond(status), m2: () => respond(200, {}, "m2") });
    expect(await text(await transport(ask(manifest)))).toBe("m2");
    await transport(ask(manifest));
    expect(asked()).toEqual(["m1", "m2", "m1", "m2"]);
    expect(events).toEqual([]);
  });

  test("and at last the place itself, unhurried, whose answer is the answer", async () => {
    const { transport, requests } = scene({
      m1: () => respond(404),
      m2: () => respond(403),
      "a.example": () => respond(404),
    });
    expect(await transport(ask(manifest))).toMatchObject({ status: 404 });
    expect(requests.at(-1)).toMatchObject({ url: new URL(manifest) });
    expect(requests.at(-1)!.brief).toBeUndefined();
  });

  test("a refused token is a refusal", async () => {
    const { transport, asked, events } = scene({
      m1: () => new RegistryError("DENIED", "no token", { status: 403 }),
      m2: () => respond(200),
    });
    await transport(ask(manifest));
    expect(asked()).toEqual(["m1", "m2"]);
    expect(events).toEqual([]);
  });
});

describe("a mirror that fails is left alone for a minute, which is told once", () => {
  test.each([
    ["no answer", network, { error: "NETWORK" }],
    ["5xx", () => respond(503), { status: 503 }],
    ["429", () => respond(429), { status: 429 }],
    [
      "a token service that fails",
      () => new RegistryError("UNAVAILABLE", "x", { status: 502 }),
      { error: "UNAVAILABLE" },
    ],
  ])("%s", async (_, m1, reason) => {
    const { transport, asked, events, time } = scene({ m1, m2: () => respond(200) });
    await Promise.all([transport(ask(manifest)), transport(ask(manifest))]);
    await transport(ask(manifest));
    expect(asked().filter((host) => host === "m1")).toHaveLength(2);
    expect(events).toEqual([{ type: "mirror", host: "a.example", mirror: "m1", ms: 60_000, ...reason }]);
    time.ms += 60_000;
    await transport(ask(manifest));
    expect(asked().filter((host) => host === "m1")).toHaveLength(3);
  });

  test("or for as long as it asks, up to a quarter of an hour", async () => {
    for (const [asks, ms] of [
      ["120", 120_000],
      ["7200", 900_000],
    ] as const) {
      const { transport, events } = scene({ m1: () => respond(503, { "retry-after": asks }), m2: () => respond(200) });
      await transport(ask(manifest));
      expect(events).toMatchObject([{ ms }]);
    }
  });

  test("and so is one that breaks in the middle of a blob", async () => {
    const broken: Res = {
      status: 200,
      headers: {},
      body: (async function* () {
        yield Buffer.from("ha");
        throw network();
      })(),
    };
    const { transport, asked, events } = scene({ m1: () => broken, m2: () => respond(200, {}, "lf") });
    const blob = ask(`https://a.example/v2/app/blobs/${digest}`);
    await expect(text(await transport(blob))).rejects.toMatchObject({ code: "NETWORK" });
    expect(events).toMatchObject([{ mirror: "m1", error: "NETWORK" }]);
    expect(await text(await transport(blob))).toBe("lf");
    expect(asked()).toEqual(["m1", "m2"]);
  });
});

describe("where the place itself cannot be reached", () => {
  test("mirrors that failed are asked once more, with all patience", async () => {
    let first = true;
    const m1 = (): Res | Error => {
      const result = first ? network() : respond(200, {}, "late");
      first = false;
      return result;
    };
    const { transport, requests } = scene({ m1, m2: () => respond(404), "a.example": network });
    expect(await text(await transport(ask(manifest)))).toBe("late");
    expect(requests.map(({ url, brief }) => [url.host, brief === true])).toEqual([
      ["m1", true],
      ["m2", true],
      ["a.example", false],
      ["m1", false],
    ]);
  });

  test("its error says what the mirrors said", async () => {
    const { transport } = scene({ m1: network, m2: () => respond(404), "a.example": network });
    await expect(transport(ask(manifest))).rejects.toMatchObject({
      code: "NETWORK",
      message: "m1 refused the connection; before that, of its mirrors m1 failed (NETWORK), m2 answered 404",
    });
    await expect(transport(ask(manifest))).rejects.toThrow("of its mirrors m1 was left alone, m2 answered 404");
  });

  test("its error says all else that it said before", async () => {
    const details = { host: "a.example", proxy: "proxy.example:3128", retryAfter: 1000, hint: "ask the proxy" };
    const broken = (): never => {
      throw new RegistryError("NETWORK", "it cannot be reached", details);
    };
    const { transport } = scene({ m1: network, m2: network, "a.example": broken });
    await expect(transport(ask(manifest))).rejects.toMatchObject(details);
  });
});

test("a manifest by digest that is not it is no answer; by tag, and to HEAD, it is believed", async () => {
  const { transport, asked, events } = scene({
    m1: () => respond(200, {}, "evil"),
    m2: () => respond(200, {}, "good"),
  });
  expect(await text(await transport(ask(manifest)))).toBe("evil");
  await transport(ask(`https://a.example/v2/app/manifests/${digest}`, "HEAD"));
  const response = await transport(ask(`https://a.example/v2/app/manifests/${digest}`));
  expect(await text(response)).toBe("good");
  expect(asked()).toEqual(["m1", "m1", "m1", "m2"]);
  expect(events).toMatchObject([{ mirror: "m1", error: "UNVERIFIED" }]);
});

test.each([
  ["PUT", "https://a.example/v2/app/manifests/1"],
  ["DELETE", `https://a.example/v2/app/manifests/${digest}`],
  ["POST", "https://a.example/v2/app/blobs/uploads/"],
  ["GET", "https://a.example/v2/app/blobs/uploads/1234"],
  ["GET", "https://a.example/v2/app/tags/list?n=1"],
  ["GET", "https://a.example/v2/_catalog"],
  ["GET", `https://a.example/v2/app/referrers/${digest}`],
] as const)("%s %s never goes to a mirror", async (method, url) => {
  const { transport, requests } = scene({ "a.example": () => respond(200) });
  const request = ask(url, method);
  await transport(request);
  expect(requests).toEqual([request]);
});

test.each(["ABORTED", "INVALID"] as const)("%s is nobody's failure, and ends the call", async (code) => {
  const { transport, asked, events } = scene({ m1: () => new RegistryError(code, "x") });
  await expect(transport(ask(manifest))).rejects.toMatchObject({ code });
  expect(asked()).toEqual(["m1"]);
  expect(events).toEqual([]);
});

test("what is blocked is refused before any request", async () => {
  const seen: unknown[] = [];
  const places = {
    endpoints: () => [],
    checkBlocked: (...names: unknown[]) => {
      seen.push(names);
      throw new RegistryError("DENIED", "blocked");
    },
  };
  const wire: Transport = () => Promise.reject(new Error("a request"));
  const transport = refuseBlocked({ registry: "a.example", places, rest: rest(() => 0) })(wire);
  for (const path of ["team/app/tags/list", "team/app/blobs/uploads/", "", "_catalog"]) {
    await expect(transport(ask(`https://a.example/v2/${path}`))).rejects.toMatchObject({ code: "DENIED" });
  }
  expect(seen).toEqual([
    ["a.example", "team/app"],
    ["a.example", "team/app"],
    ["a.example", undefined],
    ["a.example", undefined],
  ]);
});
