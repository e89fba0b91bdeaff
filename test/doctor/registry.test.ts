import { describe, expect, test } from "vitest";
import type { Ability, Diagnosis } from "../../src/doctor/diagnosis.ts";
import { healthy, image, of, page, patient, wrongIn, type Script } from "./support.ts";

const config = `sha256:${"c".repeat(64)}`;
const ociIndex = { "content-type": "application/vnd.oci.image.index.v1+json" };

/** A registry that lets anybody in, and answers paths by their beginnings. */
const open = (answers: Readonly<Record<string, ReturnType<Script>>>): Script =>
  healthy((_, path) => {
    const found = Object.keys(answers).find((start) => path.startsWith(start));
    return found === undefined ? (path === "/v2/" ? { status: 200 } : undefined) : answers[found];
  });

const dated =
  (offset: number, more: Record<string, string> = {}): Script =>
  () => ({
    status: 200,
    headers: { date: new Date(Date.now() + offset).toUTCString(), ...more },
  });

test("what stands between a name and its registry is told", async () => {
  const settings = { mirrors: ["mirror.example", "other.example/cache"], address: "192.0.2.7", insecure: true };
  const { diagnose } = await patient(() => ({ status: 200 }), { settings });
  const told = await diagnose("docker://registry.example/app");
  expect(of(told, "name").map(({ verdict, message }) => `${verdict}: ${message}`)).toEqual([
    "fine: registry.example/app",
    "fine: pulls are tried first at mirror.example, other.example/cache",
    "fine: it is looked for at 192.0.2.7, as the settings say",
    "warning: it is declared insecure: its certificate is not looked at, plain HTTP is allowed",
  ]);
  expect(of(told, "dns")).toMatchObject([{ message: "not asked: 192.0.2.7 is set for registry.example" }]);
});

test("a short name is told in full, with the host that is asked", async () => {
  const { diagnose } = await patient(() => ({ status: 200 }));
  expect(of(await diagnose("alpine:3.22"), "name")[0]!.message).toBe(
    "alpine:3.22 means docker.io/library/alpine:3.22 at registry-1.docker.io",
  );
});

describe("clocks", () => {
  test.each<[string, number, string, RegExp]>([
    ["the same", 0, "fine", /the same/],
    ["20 s apart", 20_000, "fine", /(19|20|21) s behind/],
    ["a minute apart", 60_000, "warning", /s behind/],
    ["an hour behind", 3_600_000, "fault", /60 min behind/],
    ["an hour ahead", -3_600_000, "fault", /60 min ahead of/],
    ["days ahead", -200 * 3_600_000, "fault", /200 h ahead of/],
  ])("%s", async (_, offset, verdict, message) => {
    const { diagnose } = await patient(dated(offset));
    const told = of(await diagnose("registry.example"), "clock");
    expect(told).toMatchObject([{ verdict, host: "registry.example" }]);
    expect(told[0]!.message).toMatch(message);
  });

  test("no time, or that of a cache, tells nothing", async () => {
    const unsaid: readonly Record<string, string>[] = [{ age: "7200" }, { date: "yesterday" }];
    for (const more of unsaid) {
      const { diagnose } = await patient(dated(-3_600_000, more));
      expect(of(await diagnose("registry.example"), "clock")).toMatchObject([{ verdict: "skipped" }]);
    }
  });
});

test("in what the service differs from others is told, where that is known", async () => {
  const service = { name: "Harbour", quirks: ["a push makes the repository", "there is no _catalog"] };
  const { diagnose } = await patient(healthy(), { identify: () => service });
  const told = await diagnose("registry.example/app:1");
  expect(of(told, "service").map(({ verdict, message }) => `${verdict}: ${message}`)).toEqual([
    "fine: Harbour: a push makes the repository",
    "fine: Harbour: there is no _catalog",
  ]);
  const names = told.map(({ check }) => check);
  expect(names.indexOf("service")).toBe(names.indexOf("api") + 1);
});

describe("/v2/", () => {
  test("that leads to another host is a warning, with the host to name", async () => {
    const script = healthy((_, path, { headers }) =>
      path === "/v2/" && headers.host === "registry.example"
        ? { status: 307, headers: { location: "https://other.example/v2/" } }
        : undefined,
    );
    const { diagnose } = await patient(script);
    const told = await diagnose("registry.example");
    expect(of(told, "api")[0]).toMatchObject({
      verdict: "warning",
      status: 307,
      message: "/v2/ leads on to other.example (307)",
      command: "gantry doctor other.example",
    });
  });

  test.each<[string, string, RegExp]>([
    ["in circles", "https://registry.example/v2/", /redirects more than 5 times/],
    ["to plain HTTP", "http://other.example/v2/", /from TLS to plain HTTP/],
    ["into a private network", "https://192.168.0.1/v2/", /private network/],
    ["nowhere", "https://", /without a URL/],
  ])("that leads %s is a fault", async (_, location, message) => {
    const { diagnose, log } = await patient(() => ({ status: 302, headers: { location } }), { login: "ann:s3cret" });
    const wrong = wrongIn(await diagnose());
    expect(wrong).toMatchObject([{ check: "api", verdict: "fault", code: "NETWORK" }]);
    expect(wrong[0]!.message).toMatch(message);
    expect(log.filter((line) => line.endsWith("+login"))).toEqual([]);
  });

  test("that is limited says for how long", async () => {
    const { diagnose } = await patient(() => ({ status: 429, headers: { "retry-after": "90" } }));
    expect(wrongIn(await diagnose())).toMatchObject([
      { check: "api", code: "TOOMANYREQUESTS", message: "/v2/ answers 429; it asks to wait 90 s" },
    ]);
  });

  test.each([
    ["a body without end", "x".repeat(400_000)],
    ["control characters", '{"errors":[{"code":"\u001B[2J","message":"\u0007"}]}'],
    ["JSON that is none", '{"errors":'],
    ["JSON of another kind", '[{"errors":null}]'],
  ])("with %s is no registry's", async (_, body) => {
    const { diagnose } = await patient(() => ({ status: 403, body }));
    const told = await diagnose();
    expect(wrongIn(told)).toMatchObject([{ check: "api", verdict: "fault", code: "DENIED", status: 403 }]);
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(told.map(({ message }) => message).join(" ")).not.toMatch(/[\u001B\u0007]/);
  });
});

test("a page in place of a manifest", async () => {
  const { diagnose } = await patient(
    open({ "/v2/app/manifests/": { status: 200, headers: { "content-type": "text/html" }, body: page } }),
  );
  expect(wrongIn(await diagnose())).toMatchObject([
    { check: "pull", verdict: "fault", message: expect.stringContaining("web page") as string },
  ]);
});

test("a HEAD that is refused alone is a warning, as commands go on with GET", async () => {
  const { diagnose } = await patient(
    healthy((method, path) => {
      if (path === "/v2/") return { status: 200 };
      if (!path.startsWith("/v2/app/manifests/")) return undefined;
      return method === "HEAD"
        ? { status: 405 }
        : { status: 200, headers: { ...ociIndex, "docker-content-digest": image }, body: "{}" };
    }),
  );
  expect(of(await diagnose(), "pull")).toMatchObject([
    { verdict: "fine" },
    { verdict: "warning", status: 405, message: "HEAD of a manifest is refused: 405" },
  ]);
});

test("without a tag, the list of tags is read", async () => {
  const { diagnose, log } = await patient(open({ "/v2/app/tags/list": { status: 200, body: '{"tags":["1"]}' } }));
  expect(of(await diagnose("registry.example/app"), "pull")).toMatchObject([
    { verdict: "fine", message: "its tags may be read" },
  ]);
  expect(log).toContain("GET /v2/app/tags/list?n=2");
});

describe("rate limits", () => {
  const limited = (headers: Record<string, string>): Script =>
    open({
      "/v2/app/manifests/1": { status: 200, headers: { ...ociIndex, "docker-content-digest": image, ...headers } },
    });

  test.each<[string, Record<string, string>, string, string]>([
    ["none", {}, "fine", "the registry tells of none"],
    [
      "much",
      { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600", "docker-ratelimit-source": "192.0.2.7" },
      "fine",
      "76 of 100 requests left of 6 h, counted for 192.0.2.7",
    ],
    [
      "little",
      { "ratelimit-limit": "100;w=3600", "ratelimit-remaining": "9;w=3600" },
      "warning",
      "9 of 100 requests left of 60 min",
    ],
    ["nothing", { "x-ratelimit-limit": "100", "x-ratelimit-remaining": "0" }, "fault", "0 of 100 requests left"],
    ["nonsense", { "ratelimit-remaining": "many" }, "fine", "the registry tells of none"],
  ])("%s is left", async (_, headers, verdict, message) => {
    const { diagnose } = await patient(limited(headers));
    expect(of(await diagnose(), "limit")).toMatchObject([{ verdict, message }]);
  });

  test("where pulls are counted, no manifest is read", async () => {
    const { diagnose, log } = await patient(limited({ "ratelimit-limit": "100", "ratelimit-remaining": "76" }));
    expect(abilityOf(await diagnose(), "ranges")).toMatchObject({
      message: expect.stringContaining("would count") as string,
    });
    expect(log.filter((line) => line.startsWith("GET /v2/app/manifests/"))).toEqual([]);
  });
});

const abilityOf = (told: readonly Diagnosis[], ability: Ability): Diagnosis | undefined =>
  told.find((one) => one.ability === ability);

describe("what the registry can do", () => {
  const manifest = {
    status: 200,
    headers: { "docker-content-digest": image, "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body: JSON.stringify({ config: { digest: config } }),
  };
  const base = { "/v2/app/manifests/": manifest };

  test.each<[Ability, string, ReturnType<Script>, boolean | undefined]>([
    ["referrers", "/v2/app/referrers/", { status: 200, headers: ociIndex, body: "{}" }, true],
    ["referrers", "/v2/app/referrers/", { status: 404 }, false],
    ["referrers", "/v2/app/referrers/", { status: 200, headers: { "content-type": "text/html" }, body: page }, false],
    ["referrers", "/v2/app/referrers/", { status: 503 }, undefined],
    ["catalog", "/v2/_catalog", { status: 200, body: "{}" }, true],
    ["catalog", "/v2/_catalog", { status: 401 }, undefined],
    ["catalog", "/v2/_catalog", { status: 404 }, false],
    ["ranges", `/v2/app/blobs/${config}`, { status: 206, body: "{" }, true],
    ["ranges", `/v2/app/blobs/${config}`, { status: 200, body: "{}" }, false],
    ["ranges", `/v2/app/blobs/${config}`, { status: 404 }, undefined],
    [
      "paging",
      "/v2/app/tags/list",
      { status: 200, body: '{"tags":["1"]}', headers: { link: '</v2/app/tags/list?n=1&last=1>; rel="next"' } },
      true,
    ],
    ["paging", "/v2/app/tags/list", { status: 200, body: '{"tags":["1","2"]}' }, false],
    ["paging", "/v2/app/tags/list", { status: 200, body: '{"tags":null}' }, undefined],
  ])("%s: %s answers %j", async (ability, path, says, supported) => {
    const { diagnose } = await patient(open({ [path]: says, ...base }));
    const told = await diagnose();
    expect(wrongIn(told)).toEqual([]);
    expect(abilityOf(told, ability)?.supported).toBe(supported);
    expect(abilityOf(told, ability)?.verdict).toBe(supported === undefined ? "skipped" : "fine");
  });
});

test("an ability that nothing is heard of in time is not known, and no fault", async () => {
  const script = open({
    "/v2/app/manifests/": { status: 200, headers: { ...ociIndex, "docker-content-digest": image } },
  });
  const { diagnose } = await patient((method, path, request) =>
    path.startsWith("/v2/_catalog") ? undefined : script(method, path, request),
  );
  const told = await diagnose(undefined, { timeout: 1000 });
  expect(wrongIn(told)).toEqual([]);
  expect(abilityOf(told, "catalog")).toMatchObject({
    verdict: "skipped",
    message: expect.stringContaining("in time") as string,
  });
  expect(abilityOf(told, "referrers")).toMatchObject({ supported: false });
});

describe("writing", () => {
  const upload = "/v2/app/blobs/uploads/";
  const session = `${upload}one`;

  /** A registry with uploads; what it does with one that is cancelled, and with chunks, is up to the test. */
  function uploading({ chunk = 202, cancel = 204 } = {}): Script {
    let there = false;
    return healthy((method, path) => {
      if (path === "/v2/") return { status: 200 };
      if (!path.startsWith(upload)) return undefined;
      if (method === "POST") there = true;
      if (method === "POST") return { status: 202, headers: { location: session } };
      if (method === "PATCH") return { status: chunk, headers: { location: session } };
      if (method === "DELETE" && cancel < 300) there = false;
      return { status: method === "DELETE" ? cancel : there ? 204 : 404 };
    });
  }
  const writes = (log: readonly string[]): readonly string[] =>
    log.map((line) => line.replace(" +login", "")).filter((line) => !/^(GET|HEAD) /.test(line));

  test("is not done unless it is asked for", async () => {
    const { diagnose, log } = await patient(uploading());
    const told = await diagnose();
    expect(writes(log)).toEqual([]);
    expect(of(told, "push")).toMatchObject([
      { verdict: "skipped", command: "gantry doctor --write-check registry.example/app:1" },
    ]);
    expect(of(told, "abilities").at(-1)).toMatchObject({
      verdict: "skipped",
      message: expect.stringContaining("not probed") as string,
    });
  });

  test("opens an upload, sends a byte, cancels it, and sees that nothing is left", async () => {
    const { diagnose, log } = await patient(uploading());
    const told = await diagnose("registry.example/app", { writeCheck: true });
    expect(of(told, "push")).toMatchObject([
      { verdict: "fine", message: expect.stringContaining("knows it no more") as string },
    ]);
    expect(writes(log)).toEqual([`POST ${upload}`, `PATCH ${session}`, `DELETE ${session}`]);
    expect(log.findLast((line) => line.includes(session))).toBe(`GET ${session} +login`);
  });

  test("tells of an upload that stays, and of chunks that are refused", async () => {
    const { diagnose } = await patient(uploading({ chunk: 416, cancel: 405 }));
    const told = await diagnose(undefined, { writeCheck: true });
    expect(of(told, "push")).toMatchObject([
      { verdict: "warning", status: 405, message: expect.stringContaining("not cancelled") as string },
    ]);
  });

  test.each(["time is over", "it is interrupted"])("cancels what it opened, too, when %s", async (when) => {
    const script = uploading();
    const stop = new AbortController();
    const { diagnose, log } = await patient((method, path, request) => {
      if (method !== "PATCH") return script(method, path, request);
      if (when === "it is interrupted") stop.abort();
      return undefined;
    });
    const told = diagnose("registry.example/app", { writeCheck: true, timeout: 1000, signal: stop.signal });
    if (when === "it is interrupted") await expect(told).rejects.toMatchObject({ code: "ABORTED" });
    else expect(of(await told, "push")).toMatchObject([{ verdict: "fault", code: "TIMEOUT" }]);
    expect(writes(log)).toEqual([`POST ${upload}`, `PATCH ${session}`, `DELETE ${session}`]);
  });

  test("is refused", async () => {
    const { diagnose } = await patient(
      open({ [upload]: { status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' } }),
    );
    expect(of(await diagnose(undefined, { writeCheck: true }), "push")).toMatchObject([
      { verdict: "fault", code: "DENIED", status: 403, command: "gantry login registry.example" },
    ]);
  });

  test("needs a repository", async () => {
    const { diagnose, log } = await patient(uploading());
    expect(wrongIn(await diagnose("registry.example", { writeCheck: true }))).toMatchObject([
      { check: "push", code: "INVALID" },
    ]);
    expect(writes(log)).toEqual([]);
  });
});
