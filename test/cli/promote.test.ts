import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Digest, Plan } from "../../src/index.ts";
import { receiptType } from "../../src/policy/index.ts";
import { htpasswdAccess } from "../../src/server/index.ts";
import { faultyProxy } from "../support/faults.ts";
import { artifact, image, indexOf, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import {
  app,
  digestOf,
  images,
  newer,
  older,
  planIn,
  promote,
  promoteScene,
  receiptsAt,
  refusals,
} from "./promote-scene.ts";
import { testService } from "./service-scene.ts";
import { gantry, testRegistry, type TestRegistry } from "./support.ts";

const scene = promoteScene();
const named = async (repository: string, tag: string): Promise<Digest | undefined> =>
  (await scene.registry.store(repository).head(tag))?.digest;

describe("promote", () => {
  test("by tag: the image gets a tag and a receipt; again there is nothing to do", async () => {
    const line = [`${scene.dev}:1.2.3`, "--to", `${scene.dev}:prod`, "--reason", "it is good", "--yes"];
    const first = await promote(line);
    expect(first.code, first.stderr).toBe(0);
    expect(await named("dev/app", "prod")).toBe(digestOf(app));
    const [receipt, ...others] = await receiptsAt(scene.registry.store("dev/app"), app);
    expect(others).toEqual([]);
    expect(receipt).toEqual({
      version: 1,
      kind: "promotion",
      when: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      who: { name: "alice", by: "the machine's user" },
      digest: digestOf(app),
      from: `${scene.dev}:1.2.3@${digestOf(app)}`,
      to: scene.dev,
      tags: [{ tag: "prod", before: null }],
      release: "1.2.3",
      gates: [],
      reason: "it is good",
      tool: "gantry 0.1.0",
    });
    const again = await promote([...line.slice(0, 3), "--detailed-exitcode", "--format", "json"]);
    expect(again.code).toBe(0);
    expect(planIn(again)).toMatchObject({
      steps: [],
      kept: [{ at: `${scene.dev}:prod`, digest: digestOf(app), why: "it names this image already" }],
    });
  });

  test("by repository: blobs are mounted, what is attached goes along, and only the receipt is sent", async () => {
    await putImage(scene.registry.store("dev/app"), artifact("signature", app.manifest.descriptor));
    scene.events.length = 0;
    const ended = await promote([
      `${scene.dev}:1.2.3`,
      "--to",
      `${scene.host}/prod/{name}`,
      "--tag",
      "{tag},stable",
      "--semver-tags",
      "-y",
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    for (const tag of ["1.2.3", "stable", "1.2", "1"]) expect(await named("prod/app", tag)).toBe(digestOf(app));
    const inProd = scene.events.filter((event) => "repository" in event && event.repository === "prod/app");
    expect(inProd.filter(({ type }) => type === "blob-mounted")).toHaveLength(app.blobs.length + 2);
    const referrers = await Array.fromAsync(scene.registry.store("prod/app").referrers(digestOf(app)));
    expect(referrers.map(({ artifactType }) => `${artifactType}`).toSorted()).toEqual([
      "application/vnd.example.thing",
      receiptType,
    ]);
    const sent = inProd.flatMap((event) => (event.type === "blob-pushed" ? [event.size] : []));
    const receipt = referrers.find(({ artifactType }) => artifactType === receiptType)!;
    const [, document] = (await scene.registry.store("prod/app").manifest(receipt.digest))!.blobs;
    expect(sent).toEqual([document!.size]);
  });

  test("by registry, from a plan that was saved; done twice it is done once", async () => {
    const other = await testRegistry();
    const plan = join(await temporaryDirectory(), "plan.json");
    const shown = await promote([
      `${scene.dev}:1.2.3`,
      "--to",
      `${other.host}/prod/app`,
      "--out",
      plan,
      "--detailed-exitcode",
    ]);
    expect(shown.code, shown.stderr).toBe(7);
    expect(await Array.fromAsync(scene.registry.store("prod/app").referrers(digestOf(app)))).toEqual([]);
    for (const _ of [1, 2]) {
      const { code, stderr } = await gantry(["apply", plan, "--yes"], { env: { HOME: await temporaryDirectory() } });
      expect(code, stderr).toBe(0);
    }
    expect((await other.store("prod/app").head("1.2.3"))?.digest).toBe(digestOf(app));
    expect(await receiptsAt(other.store("prod/app"), app)).toHaveLength(1);
  });

  test("by registry, with a login for each side", async () => {
    const folder = await temporaryDirectory();
    const locked = async (user: string): Promise<TestRegistry> => {
      const path = join(folder, user);
      await writeFile(path, `${user}:${hashSync("secret", 4)}\n`);
      return testRegistry({ access: htpasswdAccess({ file: path }) });
    };
    const [from, to] = [await locked("reader"), await locked("writer")];
    const first = ["copy", `${scene.dev}:1.2.3`, `${from.host}/app:1.2.3`, "--dest-creds", "reader:secret"];
    expect((await gantry(first)).code).toBe(0);
    const line = [`${from.host}/app:1.2.3`, "--to", `${to.host}/prod/{name}`, "--src-creds", "reader:secret"];
    expect((await promote([...line, "--yes"])).code).toBe(4);
    const { code, stderr } = await promote([...line, "--dest-creds", "writer:secret", "--yes"]);
    expect(code, stderr).toBe(0);
    const back = ["promote", "history", `${to.host}/prod/app:1.2.3`, "--creds", "writer:secret", "--format", "json"];
    const [{ receipt }] = JSON.parse((await gantry(back)).stdout);
    expect(receipt).toMatchObject({ digest: digestOf(app), from: `${from.host}/app:1.2.3@${digestOf(app)}` });
  });

  test("more than a receipt can say is told before anything is done", async () => {
    const tags = Array.from({ length: 101 }, (_, i) => `t${i}`).join(",");
    const { code, stderr } = await promote([`${scene.dev}:1.2.3`, "--to", scene.dev, "--tag", tags, "--yes"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("no receipt can say that: tags are too many")]);
    expect(await scene.registry.store("dev/app").head("t0")).toBeUndefined();
  });

  test("a tag that moved since the plan was made stays, and no receipt says otherwise", async () => {
    const plan = join(await temporaryDirectory(), "plan.json");
    await promote([`${scene.dev}:1.2.3`, "--to", `${scene.dev}:prod`, "--out", plan]);
    await putImage(scene.registry.store("dev/app"), newer, "prod");
    const { code } = await gantry(["apply", plan, "--yes"], { env: { HOME: await temporaryDirectory() } });
    expect(code).toBe(6);
    expect(await named("dev/app", "prod")).toBe(digestOf(newer));
    expect(await receiptsAt(scene.registry.store("dev/app"), app)).toEqual([]);
  });

  test("what fails leaves no receipt; the same plan applied again finishes, and its receipt has all", async () => {
    const refuse = { fault: "answer", status: 400 } as const;
    const late = { fault: "answer", status: 429, retryAfter: 0 } as const;
    const put = (tag: string) => (method: string, url: string) => method === "PUT" && url.endsWith(`/manifests/${tag}`);
    const rules = [
      { match: put("stable"), nth: 1, do: refuse },
      { match: put("1.2.3"), nth: 1, do: late },
    ];
    const proxy = await faultyProxy(scene.host, rules);
    onTestFinished(() => proxy.close());
    const plan = join(await temporaryDirectory(), "plan.json");
    const place = `${proxy.host}/prod/app`;
    await promote([`${proxy.host}/dev/app:1.2.3`, "--to", place, "--tag", "1.2.3,stable", "--out", plan]);
    const apply = async (): Promise<number> =>
      (await gantry(["apply", plan, "--yes"], { env: { HOME: await temporaryDirectory() } })).code;
    expect(await apply()).toBe(6);
    expect([await named("prod/app", "1.2.3"), await named("prod/app", "stable")]).toEqual([digestOf(app), undefined]);
    expect(await receiptsAt(scene.registry.store("prod/app"), app)).toEqual([]);
    expect(await apply()).toBe(0);
    const [receipt, ...others] = await receiptsAt(scene.registry.store("prod/app"), app);
    expect([receipt!.tags.map(({ tag }) => tag), others]).toEqual([["1.2.3", "stable"], []]);
  });

  test("the plan is pinned: a tag of the source that moves after it does not matter", async () => {
    const plan = join(await temporaryDirectory(), "plan.json");
    await putImage(scene.registry.store("dev/app"), app, "main");
    await promote([`${scene.dev}:main`, "--to", `${scene.host}/prod/app:live`, "--out", plan]);
    await putImage(scene.registry.store("dev/app"), newer, "main");
    const { code } = await gantry(["apply", plan, "--yes"], { env: { HOME: await temporaryDirectory() } });
    expect(code).toBe(0);
    expect(await named("prod/app", "live")).toBe(digestOf(app));
  });

  test.each([
    ["a version's tag beside it", () => putImage(scene.registry.store("dev/app"), newer, "stable")],
    [
      "a receipt",
      async () => {
        await promote([`${scene.dev}:1.2.4`, "--to", `${scene.dev}:stable`, "-y"]);
        await scene.registry.store("dev/app").deleteTag("1.2.4");
      },
    ],
  ])("what %s tells to be a later version is not left, but by --force", async (_, prepare) => {
    await prepare();
    const line = [`${scene.dev}:1.2.3`, "--to", `${scene.dev}:stable`, "--format", "json"];
    const ended = await promote(line);
    expect(ended.code).toBe(5);
    expect(planIn(ended).steps).toEqual([]);
    expect(refusals(ended)).toEqual([
      `${scene.dev}:1.2.3@${digestOf(app)}: stable is at 1.2.4 and would go back to 1.2.3 (--force moves it all the same)`,
    ]);
    const forced = await promote([...line.slice(0, 3), "--force", "--yes"]);
    expect(forced.code, forced.stderr).toBe(0);
    expect(await named("dev/app", "stable")).toBe(digestOf(app));
  });

  test("what an image says itself counts where no tag tells its version", async () => {
    const labelled = image("labelled", { annotations: { "org.opencontainers.image.version": "2.0.0" } });
    await putImage(scene.registry.store("dev/app"), labelled, "main");
    await promote([`${scene.dev}:main`, "--to", `${scene.host}/prod/app:stable`, "-y"]);
    const ended = await promote([`${scene.dev}:1.2.4`, "--to", `${scene.host}/prod/app:stable`, "--format", "json"]);
    expect(refusals(ended)).toEqual([
      `${scene.dev}:1.2.4@${digestOf(newer)}: stable is at 2.0.0 and would go back to 1.2.4 (--force moves it all the same)`,
    ]);
  });

  test("a tag that the configuration or the service keeps where it is does not move", async () => {
    const service = await testService({
      calls: () => ({ immutability: async () => ({ tags: "mutable", except: ["live*"], patterns: "wildcard" }) }),
    });
    for (const [tag, one] of Object.entries(images)) await putImage(service.store("app"), one, tag);
    for (const tag of ["prod-1", "live-1"]) await putImage(service.store("app"), older, tag);
    const at = `${service.host}/app`;
    const ended = await gantry(["promote", `${at}:1.2.3`, "--to", at, "--tag", "prod-1,live-1", "--format", "json"], {
      env: { GANTRY_TAGS: "{immutable: prod-*}" },
    });
    expect(ended.code).toBe(5);
    expect(refusals(ended)).toEqual([
      `${at}:1.2.3@${digestOf(app)}: prod-1 names ${digestOf(older)}, and must not move: so says the configuration (--force moves it all the same)`,
      `${at}:1.2.3@${digestOf(app)}: live-1 names ${digestOf(older)}, and must not move: so says Test Service (--force moves it all the same)`,
    ]);
  });

  test("an image that several tags name is asked for its version once", async () => {
    const store = scene.registry.store("prod/app");
    for (let i = 0; i < 20; i++) await putImage(store, image(`other ${i}`), `1.1.${i}`);
    for (const tag of ["1.2", "1", "stable"]) await putImage(store, older, tag);
    scene.events.length = 0;
    const to = ["--to", `${scene.host}/prod/app`, "--tag", "1.2,1,stable", "--format", "json"];
    expect(planIn(await promote([`${scene.dev}:1.2.3`, ...to])).steps).toHaveLength(4);
    const asked = scene.events.filter(
      (event) => event.type === "request" && /\/manifests\/1\.1\.\d+$/.test(event.target),
    );
    expect(asked).toHaveLength(20);
  });

  test("where versions never move, their aliases do", async () => {
    const env = { GANTRY_TAGS: '{immutable: ["semver:*"]}' };
    const to = ["--to", `${scene.host}/prod/app`, "--semver-tags", "--format", "json"];
    await promote([`${scene.dev}:1.2.3`, ...to, "--yes"]);
    const next = planIn(await promote([`${scene.dev}:1.2.4`, ...to], {}, env));
    expect(next.steps.flatMap(({ do: what, at }) => (what === "attach" ? [] : [at]))).toEqual(
      ["1.2.4", "1.2", "1"].map((tag) => `${scene.host}/prod/app:${tag}`),
    );
    await putImage(scene.registry.store("dev/app"), newer, "1.2.3");
    const ended = await promote([`${scene.dev}:1.2.3`, ...to], {}, env);
    expect(refusals(ended)).toEqual([expect.stringContaining("1.2.3 names sha256:")]);
  });

  test("a repository is created where its service wants that before a push", async () => {
    const service = await testService();
    await putImage(service.store("dev/app"), app, "1.2.3");
    const line = ["promote", `${service.host}/dev/app:1.2.3`, "--to", `${service.host}/prod/app`];
    const { steps } = planIn(await gantry([...line, "--format", "json"]));
    expect(steps.map(({ do: what }) => what)).toEqual(["create repository", "copy", "attach"]);
    expect((await gantry([...line, "--yes"])).code).toBe(0);
    expect(service.log).toContain("createRepository prod/app");
    const { steps: later } = planIn(await gantry([...line, "--tag", "live", "--format", "json"]));
    expect(later.map(({ do: what }) => what)).toEqual(["copy", "attach"]);
  });

  test.each([
    ["APP:1.2.3 # right\n\nbad image!\n", 'stdin:3: invalid reference "bad image!"'],
    ["APP:1.2.3\r\noci:layout:1\r\n", "stdin:2: oci:layout:1 is in no registry"],
    ["# nothing\n", "stdin names no image"],
  ])("what is wrong in a list is told with its line: %j", async (list, message) => {
    const stdin = list.replace("APP", scene.dev);
    const ended = await gantry(["promote", "--file", "-", "--to", `${scene.host}/prod/{name}`], { stdin });
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(`error: ${message}`) });
  });

  test.each([
    [":9.9.9", "APP:9.9.9 is not there"],
    ["x:1", "APPx:1 is not there"],
  ])("an image of a list that is not there is told with its line: %s", async (name, message) => {
    const stdin = `${scene.dev}:1.2.3\n\n${scene.dev}${name} # new\n`;
    const ended = await gantry(["promote", "--file", "-", "--to", `${scene.host}/prod/{name}`], { stdin });
    const told = `error: stdin:3: ${message.replace("APP", scene.dev)}`;
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining(told) });
  });

  test("a set: what a list names, and every tag like a pattern", async () => {
    const list = "# what goes out today\n\n  1.2.2 # the old\n".replace("1.2.2", `${scene.dev}:1.2.2`);
    const both = await gantry(
      ["promote", `${scene.dev}:1.2.3`, "--file", "-", "--to", `${scene.host}/prod/{name}`, "--format", "json"],
      { stdin: list },
    );
    const copies = ({ steps }: Plan): string[] => steps.flatMap(({ do: what, at }) => (what === "copy" ? [at] : []));
    expect(copies(planIn(both))).toEqual([`${scene.host}/prod/app:1.2.3`, `${scene.host}/prod/app:1.2.2`]);
    const like = await promote([
      scene.dev,
      "--match",
      "semver:>=1.2.3",
      "--to",
      `${scene.host}/prod/{name}`,
      "--semver-tags",
      "--format",
      "json",
    ]);
    expect(copies(planIn(like))).toEqual([`${scene.host}/prod/app:1.2.3`, `${scene.host}/prod/app:1.2.4`]);
    const { steps } = planIn(like);
    expect(steps.flatMap((step) => (step.do === "tag" ? [[step.at, step.digest]] : []))).toEqual([
      [`${scene.host}/prod/app:1.2`, digestOf(newer)],
      [`${scene.host}/prod/app:1`, digestOf(newer)],
    ]);
  });

  test.each([
    [["DEV:1.2.3", "--to", "prdo"], 2, 'there is no stage "prdo"'],
    [["DEV:1.2.3"], 2, "nothing says where to"],
    [["--to", "DEV:prod"], 2, "no image is named"],
    [["DEV:9.9.9", "--to", "DEV:prod"], 3, "DEV:9.9.9 is not there"],
    [["oci:images:1.0", "--to", "DEV:prod"], 2, "is in no registry"],
    [["DEV:1.2.3", "--to", "DEV:{tags}"], 2, '"{tags}" is not known'],
    [["DEV:1.2.3", "--match", "v*", "--to", "DEV:prod"], 2, "--match is for repositories"],
    [["DEV", "--match", "v*", "--to", "DEV:prod"], 3, "no tag of DEV is like v*"],
    [["DEV:1.2.3", "DEV:1.2.4", "--to", "DEV:prod"], 2, "DEV:prod would be both"],
  ])("%j ends with %i: %s", async (words, code, message) => {
    const ended = await promote(words.map((word) => word.replace("DEV", scene.dev)));
    expect(ended.stderr).toContain(message.replace("DEV", scene.dev));
    expect(ended.code).toBe(code);
  });
});

test("an index goes whole, with what hangs on its images", async () => {
  const children = ["linux/amd64", "linux/arm64"].map((platform) => image(platform, { platform }));
  await putImage(scene.registry.store("dev/app"), indexOf(children), "2.0.0");
  await putImage(scene.registry.store("dev/app"), artifact("sbom", children[1]!.manifest.descriptor));
  expect((await promote([`${scene.dev}:2.0.0`, "--to", `${scene.host}/prod/app`, "-y"])).code).toBe(0);
  for (const child of children) expect(await scene.registry.store("prod/app").head(digestOf(child))).toBeDefined();
  expect(await Array.fromAsync(scene.registry.store("prod/app").referrers(digestOf(children[1]!)))).toHaveLength(1);
});
