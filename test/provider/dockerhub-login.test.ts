import { describe, expect, test } from "vitest";
import { Secret } from "../../src/auth/secret.ts";
import { dockerHub } from "../../src/provider/dockerhub/provider.ts";
import { ann, connected, hub, login, now, page } from "./dockerhub-support.ts";
import { recorded, serviceContext, type Exchange } from "./support.ts";

describe("the login", () => {
  const tagsUrl = `${hub}/namespaces/a/repositories/b/tags?page_size=100`;
  const empty: Exchange = { page, url: tagsUrl, answer: { results: [] } };

  test("is bought once for many calls, and again shortly before it ends", async () => {
    const { service, asked, time } = connected([login, empty], { credential: ann });
    const list = async (): Promise<unknown> => Array.fromAsync((await service).images("a/b"));
    await Promise.all([list(), list(), list()]);
    const logins = (): number => asked.filter((one) => one.startsWith("POST")).length;
    expect(logins()).toBe(1);
    time.now = now + 560_000;
    await list();
    expect(logins()).toBe(1);
    time.now = now + 575_000;
    await list();
    expect(logins()).toBe(2);
  });

  test("a token that ended early is bought anew, once", async () => {
    let refusals = 1;
    const base = recorded(login, empty);
    const context = serviceContext("docker.io", {
      credential: ann,
      clock: { now: () => time.now, random: () => 0, sleep: async () => undefined },
      transport: async (request) => {
        if (request.method !== "GET" || refusals-- <= 0) return base.transport(request);
        const expired = recorded({ page, url: request.url.href, status: 401, answer: { detail: "token expired" } });
        return expired.transport(request);
      },
    });
    const time = { now };
    const service = await dockerHub.connect(context);
    refusals = 0;
    await Array.fromAsync(service.images("a/b"));
    time.now = now + 120_000;
    refusals = 1;
    await Array.fromAsync(service.images("a/b"));
    expect(base.asked.filter((one) => one.startsWith("POST"))).toHaveLength(2);
    expect(base.sent.filter((headers) => "authorization" in headers)).toHaveLength(2);
    refusals = 9;
    await expect(Array.fromAsync(service.images("a/b"))).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(base.asked.filter((one) => one.startsWith("POST"))).toHaveLength(2);
  });

  test("a wrong one is told of, with where it was found and never the secret", async () => {
    const refused: Exchange = {
      ...login,
      status: 401,
      answer: { detail: "no dckr_pat_124509ugsdjga93 here", message: "" },
    };
    const { service } = connected([refused], { credential: ann });
    const error: unknown = await Array.fromAsync((await service).images("a/b")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UNAUTHORIZED", hint: expect.stringContaining("~/.docker/config.json") });
    expect(JSON.stringify([String(error), error])).not.toContain("dckr_pat_124509ugsdjga93");
  });

  test("a missing right is named", async () => {
    const denied: Exchange = {
      page,
      method: "PATCH",
      url: `${hub}/namespaces/a/repositories/b/immutabletags`,
      sends: { immutable_tags: true, immutable_tags_rules: [".*"] },
      status: 403,
      answer: { message: "access token has insufficient scopes" },
    };
    const { service } = connected([login, denied], { credential: ann });
    await expect((await service).setImmutability("a/b", { tags: "immutable" })).rejects.toMatchObject({
      code: "DENIED",
      hint: expect.stringContaining("Read, Write, Delete"),
    });
  });

  test("what changes something wants one: nobody is asked without", async () => {
    const { service, asked } = connected([]);
    await expect((await service).deleteTag("a/b", "v1")).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      hint: expect.stringContaining("gantry login docker.io"),
    });
    expect(asked).toEqual([]);
  });

  test("a bare token buys none: what is public comes without, the rest says why", async () => {
    const bare = { kind: "bearer", token: new Secret("dckr_pat_x"), origin: "DOCKER_TOKEN" } as const;
    const { service, sent } = connected([empty], { credential: bare });
    await Array.fromAsync((await service).images("a/b"));
    expect(sent[0]).not.toHaveProperty("authorization");
    await expect((await service).deleteTag("a/b", "v1")).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      message: expect.stringContaining("DOCKER_TOKEN"),
    });
  });

  test("of a host that the user calls Docker Hub is not sent to hub.docker.com", async () => {
    const { service, sent } = connected([empty], { credential: ann, host: "mirror.example" });
    await Array.fromAsync((await service).images("a/b"));
    expect(sent.every((headers) => !("authorization" in headers))).toBe(true);
  });

  test("is not sent in plain text", async () => {
    const { service, asked } = connected([], { credential: ann, api: () => "http://hub.example" });
    await expect(Array.fromAsync((await service).images("a/b"))).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(asked).toEqual([]);
  });
});

describe("limits", () => {
  const preview: Exchange = {
    page: "https://docs.docker.com/docker-hub/usage/pulls/",
    method: "HEAD",
    url: "https://registry-1.docker.io/v2/ratelimitpreview/test/manifests/latest",
    headers: {
      "ratelimit-limit": "100;w=21600",
      "ratelimit-remaining": "20;w=21600",
      "docker-ratelimit-source": "192.0.2.1",
    },
  };
  const api: Exchange = {
    page: `${page}#tag/rate-limiting`,
    url: `${hub}/namespaces/library/repositories?page_size=1`,
    headers: {
      "x-ratelimit-limit": "180",
      "x-ratelimit-remaining": "179",
      "x-ratelimit-reset": String(now / 1000 + 60),
    },
    answer: { results: [] },
  };

  test("are those of pulls and of the API", async () => {
    const { service } = connected([preview, api]);
    expect(await (await service).allowances()).toEqual([
      { what: "pulls", unit: "pulls", limit: 100, remaining: 20, windowSeconds: 21600, source: "192.0.2.1" },
      { what: "API requests", unit: "requests", limit: 180, remaining: 179, windowSeconds: 60, resetSeconds: 60 },
    ]);
  });

  test("no headers mean no limit; an API that is down is warned of", async () => {
    const warnings: string[] = [];
    const { service } = connected(
      [
        { ...preview, headers: {} },
        { ...api, status: 503, answer: "down" },
      ],
      {
        onWarning: (text) => warnings.push(text),
      },
    );
    expect(await (await service).allowances()).toEqual([{ what: "pulls", unit: "pulls", unlimited: true }]);
    expect(warnings).toEqual([expect.stringContaining("503")]);
  });

  test("a limit that is used up is told, and no error", async () => {
    const spent = { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600" };
    const { service } = connected([{ ...preview, status: 429, headers: spent }, api]);
    expect((await (await service).allowances())[0]).toMatchObject({ remaining: 0, limit: 100 });
    const refused = connected([{ ...preview, status: 401, headers: {} }, api]);
    await expect((await refused.service).allowances()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });
});
