import { describe, expect, test } from "vitest";
import { noBody } from "../../src/transport/body.ts";
import { settingsByHost } from "../../src/transport/host-settings.ts";
import { limit } from "../../src/transport/limit.ts";
import { quotas } from "../../src/transport/quotas.ts";
import { reserve } from "../../src/transport/reserve.ts";
import { compose, type Req, type Res, type Transport } from "../../src/transport/transport.ts";
import { ask } from "./support.ts";

const host = "registry.example";
const manifest = (tag: string, more: Partial<Req> = {}): Req =>
  ask(`https://${host}/v2/app/manifests/${tag}`, "GET", more);

interface Hub {
  readonly transport: Transport;
  readonly seen: string[];
  remaining: number;
  now: number;
}

/** A registry that counts GETs of manifests, with so many left, behind a reserve. */
function hub(remaining: number, quotaReserve: number, answer: (request: Req) => Partial<Res> = () => ({})): Hub {
  const state = { seen: [] as string[], remaining, now: 0 };
  const clock = { now: () => state.now, random: () => 0, sleep: async () => {} };
  const registry: Transport = async (request) => {
    const { method, url } = request;
    state.seen.push(`${method} ${url.pathname.split("/").at(-1)}`);
    await new Promise((resolve) => void setImmediate(resolve));
    if (method === "GET" && url.pathname.includes("/manifests/")) state.remaining--;
    const headers = { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": `${state.remaining};w=21600` };
    return { status: 200, headers, body: noBody, ...answer(request) };
  };
  const book = quotas({ clock });
  const settingsOf = settingsByHost({ [host]: { quotaReserve } });
  const transport = compose(registry, reserve({ settingsOf, quotas: book, clock }), limit({ clock, quotas: book }));
  return Object.assign(state, { transport });
}

const refused = {
  code: "TOOMANYREQUESTS",
  host,
  retryable: false,
  message: `${host} allows 5 more pulls, and 5 are kept in reserve`,
  hint: expect.stringContaining("log in") as string,
};

describe("so many pulls are kept in reserve", () => {
  test("one question at first, then what answers say: exactly the requests that are needed", async () => {
    const at = hub(7, 5);
    await at.transport(manifest("a"));
    await at.transport(manifest("b"));
    await expect(at.transport(manifest("c"))).rejects.toMatchObject(refused);
    expect(at.seen).toEqual(["HEAD a", "GET a", "GET b"]);
    expect(at.remaining).toBe(5);
  });

  test("what was pulled at once counts too, and nobody is refused too soon", async () => {
    const at = hub(15, 5);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => at.transport(manifest(`${i}`))));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    expect(at.remaining).toBe(5);
    expect(at.seen.filter((request) => request.startsWith("HEAD"))).toEqual(["HEAD 0"]);
  });

  test("before anything is refused for what was known a while ago, it is asked again", async () => {
    const at = hub(6, 5);
    await at.transport(manifest("a"));
    at.now += 61_000;
    at.remaining = 100;
    await at.transport(manifest("b"));
    expect(at.seen).toEqual(["HEAD a", "GET a", "HEAD b", "GET b"]);
  });

  test("0 in reserve is the last pull, not one more", async () => {
    const at = hub(1, 0);
    await at.transport(manifest("a"));
    await expect(at.transport(manifest("b"))).rejects.toMatchObject({ code: "TOOMANYREQUESTS" });
  });

  test("only GETs of manifests count, and only where the settings say so", async () => {
    const at = hub(1, 5);
    const blob = ask(`https://${host}/v2/app/blobs/sha256:ab`);
    for (const request of [
      blob,
      { ...manifest("a"), method: "HEAD" as const },
      { ...manifest("a"), method: "PUT" as const },
    ])
      await at.transport(request);
    await at.transport(ask("https://other.example/v2/app/manifests/a"));
    expect(at.seen).toHaveLength(4);
  });

  test("a host that tells of no limit is asked once", async () => {
    const at = hub(0, 5, () => ({ headers: {} }));
    for (const tag of ["a", "b", "c"]) await at.transport(manifest(tag));
    expect(at.seen).toEqual(["HEAD a", "GET a", "GET b", "GET c"]);
  });

  test("what is not there says nothing of limits: the GET tells why, and the next is asked for again", async () => {
    const at = hub(5, 5, ({ url }) => (url.pathname.endsWith("/a") ? { status: 404, headers: {} } : {}));
    expect((await at.transport(manifest("a"))).status).toBe(404);
    await expect(at.transport(manifest("b"))).rejects.toMatchObject({ code: "TOOMANYREQUESTS" });
    expect(at.seen).toEqual(["HEAD a", "GET a", "HEAD b"]);
  });

  test("a question that is refused, or breaks, is the answer", async () => {
    const at = hub(9, 5, ({ method }) => (method === "HEAD" ? { status: 429, headers: {} } : {}));
    expect((await at.transport(manifest("a"))).status).toBe(429);
    expect(at.seen).toEqual(["HEAD a"]);
    const broken = hub(9, 5, () => {
      throw new Error("broken");
    });
    await expect(broken.transport(manifest("a"))).rejects.toThrow("broken");
  });
});
