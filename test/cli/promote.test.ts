import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { artifactFile, attach, type Digest, type Plan, type Store } from "../../src/index.ts";
import { receiptType, type Receipt } from "../../src/policy/index.ts";
import type { ServerEvent } from "../../src/server/index.ts";
import { artifact, image, indexOf, putImage, type TestImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { testService } from "./service-scene.ts";
import { gantry, testRegistry, type Ended, type TestRegistry } from "./support.ts";

const digestOf = ({ manifest }: TestImage): Digest => manifest.descriptor.digest;
const images = Object.fromEntries(["1.2.2", "1.2.3", "1.2.4"].map((name) => [name, image(name)])) as Record<
  "1.2.2" | "1.2.3" | "1.2.4",
  TestImage
>;
const [older, app, newer] = [images["1.2.2"], images["1.2.3"], images["1.2.4"]];

let registry: TestRegistry;
let events: ServerEvent[];
let [host, dev]: [string, string] = ["", ""];

beforeEach(async () => {
  events = [];
  registry = await testRegistry({ onEvent: (event) => void events.push(event) });
  host = registry.host;
  dev = `${host}/dev/app`;
  for (const [tag, one] of Object.entries(images)) await putImage(registry.store("dev/app"), one, tag);
});

const named = async (repository: string, tag: string): Promise<Digest | undefined> =>
  (await registry.store(repository).head(tag))?.digest;

async function receiptsAt(store: Store, subject: TestImage): Promise<Receipt[]> {
  const found: Receipt[] = [];
  for await (const { digest, artifactType } of store.referrers(digestOf(subject))) {
    if (artifactType !== receiptType) continue;
    const [file] = (await store.manifest(digest))!.blobs.filter(({ mediaType }) => mediaType === receiptType);
    const bytes = await Array.fromAsync(await store.blob(file!.digest));
    found.push(JSON.parse(Buffer.concat(bytes).toString()));
  }
  return found;
}

/** Runs `promote`, with stages as told. */
async function promote(
  words: readonly string[],
  stages: object = {},
  env: Record<string, string> = {},
): Promise<Ended> {
  return gantry(["promote", ...words], { env: { USER: "alice", GANTRY_PROMOTE: JSON.stringify({ stages }), ...env } });
}

const planIn = ({ stdout }: Ended): Plan => JSON.parse(stdout);
const refusals = (ended: Ended): string[] =>
  planIn(ended).notes.flatMap(({ level, message }) => (level === "refused" ? [message] : []));

describe("promote", () => {
  test("by tag: the image gets a tag and a receipt; again there is nothing to do", async () => {
    const line = [`${dev}:1.2.3`, "--to", `${dev}:prod`, "--reason", "it is good", "--yes"];
    const first = await promote(line);
    expect(first.code, first.stderr).toBe(0);
    expect(await named("dev/app", "prod")).toBe(digestOf(app));
    const [receipt, ...others] = await receiptsAt(registry.store("dev/app"), app);
    expect(others).toEqual([]);
    expect(receipt).toEqual({
      version: 1,
      kind: "promotion",
      when: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      who: { name: "alice", by: "the machine's user" },
      digest: digestOf(app),
      from: `${dev}:1.2.3@${digestOf(app)}`,
      to: dev,
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
      kept: [{ at: `${dev}:prod`, digest: digestOf(app), why: "it names this image already" }],
    });
  });

  test("by repository: blobs are mounted, what is attached goes along, and only the receipt is sent", async () => {
    await putImage(registry.store("dev/app"), artifact("signature", app.manifest.descriptor));
    events.length = 0;
    const ended = await promote([
      `${dev}:1.2.3`,
      "--to",
      `${host}/prod/{name}`,
      "--tag",
      "{tag},stable",
      "--semver-tags",
      "-y",
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    for (const tag of ["1.2.3", "stable", "1.2", "1"]) expect(await named("prod/app", tag)).toBe(digestOf(app));
    const inProd = events.filter((event) => "repository" in event && event.repository === "prod/app");
    expect(inProd.filter(({ type }) => type === "blob-mounted")).toHaveLength(app.blobs.length + 2);
    const referrers = await Array.fromAsync(registry.store("prod/app").referrers(digestOf(app)));
    expect(referrers.map(({ artifactType }) => artifactType).sort()).toEqual([
      "application/vnd.example.thing",
      receiptType,
    ]);
    const sent = inProd.flatMap((event) => (event.type === "blob-pushed" ? [event.size] : []));
    const receipt = referrers.find(({ artifactType }) => artifactType === receiptType)!;
    const [, document] = (await registry.store("prod/app").manifest(receipt.digest))!.blobs;
    expect(sent).toEqual([document!.size]);
  });

  test("by registry, from a plan that was saved; done twice it is done once", async () => {
    const other = await testRegistry();
    const plan = join(await temporaryDirectory(), "plan.json");
    const shown = await promote([
      `${dev}:1.2.3`,
      "--to",
      `${other.host}/prod/app`,
      "--out",
      plan,
      "--detailed-exitcode",
    ]);
    expect(shown.code, shown.stderr).toBe(7);
    expect(await Array.fromAsync(registry.store("prod/app").referrers(digestOf(app)))).toEqual([]);
    for (const _ of [1, 2]) {
      const { code, stderr } = await gantry(["apply", plan, "--yes"], { env: { HOME: await temporaryDirectory() } });
      expect(code, stderr).toBe(0);
    }
    expect((await other.store("prod/app").head("1.2.3"))?.digest).toBe(digestOf(app));
    expect(await receiptsAt(other.store("prod/app"), app)).toHaveLength(1);
  });

  test("a tag that moved since the plan was made stays, and no receipt says otherwise", async () => {
    const plan = join(await temporaryDirectory(), "plan.json");
    await promote([`${dev}:1.2.3`, "--to", `${dev}:prod`, "--out", plan]);
    await putImage(registry.store("dev/app"), newer, "prod");
    const { code } = await gantry(["apply", plan, "--yes"], { env: { HOME: await temporaryDirectory() } });
    expect(code).toBe(6);
    expect(await named("dev/app", "prod")).toBe(digestOf(newer));
    expect(await receiptsAt(registry.store("dev/app"), app)).toEqual([]);
  });

  test("the plan is pinned: a tag of the source that moves after it does not matter", async () => {
    const plan = join(await temporaryDirectory(), "plan.json");
    await putImage(registry.store("dev/app"), app, "main");
    await promote([`${dev}:main`, "--to", `${host}/prod/app:live`, "--out", plan]);
    await putImage(registry.store("dev/app"), newer, "main");
    const { code } = await gantry(["apply", plan, "--yes"], { env: { HOME: await temporaryDirectory() } });
    expect(code).toBe(0);
    expect(await named("prod/app", "live")).toBe(digestOf(app));
  });

  test.each([
    ["a version's tag beside it", () => putImage(registry.store("dev/app"), newer, "stable")],
    [
      "a receipt",
      async () => {
        await promote([`${dev}:1.2.4`, "--to", `${dev}:stable`, "-y"]);
        await registry.store("dev/app").deleteTag("1.2.4");
      },
    ],
  ])("what %s tells to be a later version is not left, but by --force", async (_, prepare) => {
    await prepare();
    const line = [`${dev}:1.2.3`, "--to", `${dev}:stable`, "--format", "json"];
    const ended = await promote(line);
    expect(ended.code).toBe(5);
    expect(planIn(ended).steps).toEqual([]);
    expect(refusals(ended)).toEqual([
      `${dev}:1.2.3@${digestOf(app)}: stable is at 1.2.4 and would go back to 1.2.3 (--force moves it all the same)`,
    ]);
    const forced = await promote([...line.slice(0, 3), "--force", "--yes"]);
    expect(forced.code, forced.stderr).toBe(0);
    expect(await named("dev/app", "stable")).toBe(digestOf(app));
  });

  test("what an image says itself counts where no tag tells its version", async () => {
    const labelled = image("labelled", { annotations: { "org.opencontainers.image.version": "2.0.0" } });
    await putImage(registry.store("dev/app"), labelled, "main");
    await promote([`${dev}:main`, "--to", `${host}/prod/app:stable`, "-y"]);
    const ended = await promote([`${dev}:1.2.4`, "--to", `${host}/prod/app:stable`, "--format", "json"]);
    expect(refusals(ended)).toEqual([
      `${dev}:1.2.4@${digestOf(newer)}: stable is at 2.0.0 and would go back to 1.2.4 (--force moves it all the same)`,
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
      env: { GANTRY_PROMOTE: "{immutable: prod-*}" },
    });
    expect(ended.code).toBe(5);
    expect(refusals(ended)).toEqual([
      `${at}:1.2.3@${digestOf(app)}: prod-1 names ${digestOf(older)}, and must not move: so says the configuration (--force moves it all the same)`,
      `${at}:1.2.3@${digestOf(app)}: live-1 names ${digestOf(older)}, and must not move: so says Test Service (--force moves it all the same)`,
    ]);
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

  test("a set: what a list names, and every tag like a pattern", async () => {
    const list = "# what goes out today\n\n  1.2.2 # the old\n".replace("1.2.2", `${dev}:1.2.2`);
    const both = await gantry(
      ["promote", `${dev}:1.2.3`, "--file", "-", "--to", `${host}/prod/{name}`, "--format", "json"],
      { stdin: list },
    );
    const copies = ({ steps }: Plan): string[] => steps.flatMap(({ do: what, at }) => (what === "copy" ? [at] : []));
    expect(copies(planIn(both))).toEqual([`${host}/prod/app:1.2.3`, `${host}/prod/app:1.2.2`]);
    const like = await promote([
      dev,
      "--match",
      "semver:>=1.2.3",
      "--to",
      `${host}/prod/{name}`,
      "--semver-tags",
      "--format",
      "json",
    ]);
    expect(copies(planIn(like))).toEqual([`${host}/prod/app:1.2.3`, `${host}/prod/app:1.2.4`]);
    const { steps } = planIn(like);
    expect(steps.flatMap((step) => (step.do === "tag" ? [[step.at, step.digest]] : []))).toEqual([
      [`${host}/prod/app:1.2`, digestOf(newer)],
      [`${host}/prod/app:1`, digestOf(newer)],
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
    const ended = await promote(words.map((word) => word.replace("DEV", dev)));
    expect(ended.stderr).toContain(message.replace("DEV", dev));
    expect(ended.code).toBe(code);
  });
});

describe("gates", () => {
  const stages = (more: object = {}): object => ({
    staging: { to: `${host}/staging/{name}`, tags: ["{tag}", "latest"] },
    prod: { to: `${host}/prod/{name}`, tags: ["{tag}", "{major}.{minor}", "stable"], from: "staging", gates: more },
  });
  const toProd = (more: object = {}, words: readonly string[] = [], env: Record<string, string> = {}): Promise<Ended> =>
    promote([`${dev}:1.2.3`, "--to", "prod", "--format", "json", ...words], stages(more), env);
  const inStaging = (): Promise<Ended> => promote([`${dev}:1.2.3`, "--to", "staging", "-y"], stages());
  const because = (what: string): string[] => [`${dev}:1.2.3@${digestOf(app)}: ${what}`];

  test("a stage takes only what the stage before has", async () => {
    const early = await toProd();
    expect([early.code, refusals(early)]).toEqual([5, because("from: staging does not have it")]);
    expect((await inStaging()).code).toBe(0);
    const ended = await promote([`${host}/staging/app:1.2.3`, "--to", "prod", "--yes"], stages());
    expect(ended.code, ended.stderr).toBe(0);
    for (const tag of ["1.2.3", "1.2", "stable"]) expect(await named("prod/app", tag)).toBe(digestOf(app));
    const receipts = await receiptsAt(registry.store("prod/app"), app);
    expect(receipts.map(({ stage, to }) => [stage, to]).sort()).toEqual([
      ["prod", `${host}/prod/app`],
      ["staging", `${host}/staging/app`],
    ]);
    expect(receipts.find(({ stage }) => stage === "prod")!.gates).toEqual([
      { gate: "from", passed: true, message: "staging has it", when: expect.any(String) },
    ]);
  });

  test("what the stage before went back from is not taken", async () => {
    await promote([`${dev}:1.2.2`, "--to", "staging", "-y"], stages());
    await inStaging();
    const env = { GANTRY_PROMOTE: JSON.stringify({ stages: stages() }) };
    const back = await gantry(["rollback", `${dev}:1.2.3`, "--at", "staging", "--yes"], { env });
    expect(back.code, back.stderr).toBe(0);
    expect(await named("staging/app", "latest")).toBe(digestOf(older));
    expect(refusals(await toProd())).toEqual(because("from: staging does not have it"));
  });

  test("age counts from the stage before, and in the first stage from the build", async () => {
    await inStaging();
    const young = await toProd({ age: "1h" });
    expect(refusals(young)).toEqual([expect.stringMatching(/age: it came to staging \ds ago, and it has to be 1h$/)]);
    expect((await toProd({ age: "0m" })).code).toBe(0);
    const annotations = { "org.opencontainers.image.created": "2020-01-01T00:00:00Z" };
    const dated = image("dated", { annotations });
    const ahead = image("ahead", { annotations: { "org.opencontainers.image.created": "2999-01-01T00:00:00Z" } });
    for (const [tag, one] of [
      ["old", dated],
      ["ahead", ahead],
    ] as const)
      await putImage(registry.store("dev/app"), one, tag);
    const first = { live: { to: `${host}/live/app`, gates: { age: "1w" } } };
    const gateOf = async (tag: string): Promise<string[]> =>
      refusals(await promote([`${dev}:${tag}`, "--to", "live", "--format", "json"], first));
    expect(await gateOf("old")).toEqual([]);
    expect(await gateOf("ahead")).toEqual([expect.stringContaining("age: it was built in the future: 2999-01-01")]);
    expect(await gateOf("1.2.3")).toEqual(because("age: nothing tells how old it is"));
  });

  test("what has to be attached is found as a referrer, as Cosign's tag, or in the index", async () => {
    await inStaging();
    const requires = ["signature", "sbom", "attestation", "application/vnd.example.thing"];
    expect(refusals(await toProd({ requires }))).toEqual([
      ...because("requires signature: no signature is attached"),
      ...because("requires sbom: no sbom is attached"),
      ...because("requires attestation: no attestation is attached"),
      ...because(
        "requires application/vnd.example.thing: no artifact of type application/vnd.example.thing is attached",
      ),
    ]);
    const store = registry.store("dev/app");
    await putImage(store, image("signature"), `${digestOf(app).replace(":", "-")}.sig`);
    for (const type of ["application/spdx+json", "application/vnd.in-toto+json", "application/vnd.example.thing"]) {
      await putImage(store, artifact(type, app.manifest.descriptor, { type }));
    }
    expect((await toProd({ requires })).code).toBe(0);
  });

  test("who may approve has to, and is in the receipt", async () => {
    await inStaging();
    const approval = ["alice", "bob"];
    expect(refusals(await toProd({ approval }))).toEqual(
      because("approval: one of alice, bob has to approve: --approve NAME"),
    );
    expect((await toProd({ approval }, ["--approve", "mallory"])).code).toBe(5);
    expect((await toProd({ approval }, ["--approve", "bob", "--yes"])).code).toBe(0);
    const receipts = await receiptsAt(registry.store("prod/app"), app);
    expect(receipts.find(({ stage }) => stage === "prod")!.gates[1]).toMatchObject({ message: "approved by bob" });
  });

  test("a command decides, is told what it is about, and its secrets are in no receipt", async () => {
    await inStaging();
    const script = join(await temporaryDirectory(), "gate.sh");
    await writeFile(
      script,
      '#!/bin/sh\nprintf "%s %s %s $API_TOKEN\\033[1m!\\n" "$GANTRY_GATE_STAGE" "$GANTRY_GATE_TAGS" "$1"\n[ "$GANTRY_GATE_REFERENCE" = "$2" ]\n',
    );
    await chmod(script, 0o755);
    const reference = `${dev}:1.2.3@${digestOf(app)}`;
    const env = { API_TOKEN: "hunter22", PATH: process.env["PATH"]! };
    const passed = await toProd({ commands: { smoke: [script, "a b", reference] } }, ["--out", `${script}.json`], env);
    expect(passed.code, passed.stderr).toBe(0);
    expect(passed.stdout).not.toContain("hunter22");
    const receipt = planIn(passed).steps.find((step) => step.do === "attach")!.document as Receipt;
    expect(receipt.gates[1]).toMatchObject({
      gate: "command smoke",
      passed: true,
      message: "it ended with 0: prod 1.2.3,1.2,stable a b [secret]!",
    });
    const failed = await toProd({ commands: { smoke: [script, "x", "other"] } }, [], env);
    expect([failed.code, refusals(failed)]).toEqual([
      5,
      because("command smoke: it ended with 1: prod 1.2.3,1.2,stable x [secret]!"),
    ]);
  });

  test("a command that hangs, is not there or cannot run does not pass; it is not run where another gate has not passed", async () => {
    await inStaging();
    const env = { PATH: process.env["PATH"]! };
    const plainFile = join(await temporaryDirectory(), "notes.txt");
    await writeFile(plainFile, "no program");
    const commands = { hangs: ["sh", "-c", "sleep 60 & sleep 60"] };
    const start = performance.now();
    expect(refusals(await toProd({ commands, timeout: "100ms" }, [], env))).toEqual(
      because("command hangs: it took longer than 0.1 s"),
    );
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(refusals(await toProd({ commands: { gone: "no-such-program" } }, [], env))).toEqual(
      because("command gone: there is no program no-such-program in PATH"),
    );
    expect(refusals(await toProd({ commands: { text: plainFile } }, [], env))).toEqual(
      because(`command text: ${plainFile} cannot be run (EACCES)`),
    );
    expect(refusals(await toProd({ commands: { gone: "no-such-program" }, approval: "bob" }, [], env))).toEqual(
      because("approval: one of bob has to approve: --approve NAME"),
    );
  });

  test("stages that lead nowhere or in a circle are told with their key", async () => {
    const wrong = async (all: object): Promise<string> => (await promote([`${dev}:1.2.3`, "--to", "a"], all)).stderr;
    expect(await wrong({ a: { from: "b" } })).toContain("promote.stages.a.to is missing");
    expect(await wrong({ a: { to: "h/a", from: "b" } })).toContain(
      'promote.stages.a.from names "b", which is no stage',
    );
    expect(await wrong({ a: { to: "h/a", from: "b" }, b: { to: "h/b", from: "a" } })).toContain(
      "promote.stages.a.from leads in a circle: a, b, a",
    );
  });
});

describe("promote history and rollback", () => {
  const prod = (): string => `${host}/prod/app`;
  const release = (tag: string): Promise<Ended> =>
    promote([`${dev}:${tag}`, "--to", prod(), "--tag", `${tag},stable`, "--by", "carol", "--yes"]);
  const history = async (place: string): Promise<readonly { artifact: Digest; receipt: Receipt }[]> =>
    JSON.parse((await gantry(["promote", "history", place, "--format", "json"])).stdout);

  test("back one promotion, and then one more; what was new stays, and the history has it all", async () => {
    for (const tag of ["1.2.2", "1.2.3", "1.2.4"]) expect((await release(tag)).code).toBe(0);
    for (const [expected, left] of [
      [app, newer],
      [older, app],
    ] as const) {
      const { code, stderr } = await gantry(["rollback", `${prod()}:stable`, "--by", "dave", "--yes"]);
      expect(code, stderr).toBe(0);
      expect(await named("prod/app", "stable")).toBe(digestOf(expected));
      expect(await registry.store("prod/app").head(digestOf(left))).toBeDefined();
    }
    expect(await named("prod/app", "1.2.4")).toBe(digestOf(newer));
    const all = await history(`${prod()}:stable`);
    expect(all.map(({ receipt: { kind, digest, who } }) => [kind, digest, who.name])).toEqual([
      ["rollback", digestOf(older), "dave"],
      ["rollback", digestOf(app), "dave"],
      ["promotion", digestOf(newer), "carol"],
      ["promotion", digestOf(app), "carol"],
      ["promotion", digestOf(older), "carol"],
    ]);
    expect(await history(prod())).toEqual(all);
    expect((await history(`${prod()}@${digestOf(newer)}`)).map(({ receipt }) => receipt.digest)).toEqual([
      digestOf(newer),
    ]);
    const end = await gantry(["rollback", `${prod()}:stable`, "--yes"]);
    expect([end.code, end.stderr]).toEqual([
      3,
      expect.stringContaining(`no receipt tells what ${prod()}:stable named before`),
    ]);
  });

  test("--to names an image of the history by the beginning of its digest, or its receipt's", async () => {
    for (const tag of ["1.2.2", "1.2.3", "1.2.4"]) await release(tag);
    const [, , first] = await history(`${prod()}:stable`);
    for (const to of [digestOf(older).slice(0, 19), first!.artifact, digestOf(older)]) {
      const { steps } = planIn(await gantry(["rollback", `${prod()}:stable`, "--to", to, "--format", "json"]));
      expect(steps[0]).toMatchObject({
        do: "tag",
        at: `${prod()}:stable`,
        digest: digestOf(older),
        before: digestOf(newer),
      });
    }
    const wrong = await gantry(["rollback", `${prod()}:stable`, "--to", "sha256:ffffff"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("is no digest in the history")]);
  });

  test("an image that is gone, and a tag that moved on since, are told", async () => {
    for (const tag of ["1.2.2", "1.2.3"]) await release(tag);
    await putImage(registry.store("prod/app"), newer, "1.2.3");
    const moved = planIn(await gantry(["rollback", `${prod()}:stable`, "--format", "json"]));
    expect(moved.kept).toEqual([
      {
        at: `${prod()}:1.2.3`,
        digest: digestOf(newer),
        why: `it names ${digestOf(newer)}, which was not promoted with stable`,
      },
    ]);
    await registry.store("prod/app").deleteManifest(digestOf(older));
    const gone = await gantry(["rollback", `${prod()}:stable`, "--format", "json"]);
    expect([gone.code, refusals(gone)]).toEqual([
      5,
      [`${digestOf(older)}, which it named before, is not there any more`],
    ]);
  });

  test("what others attached under the name of a receipt is passed over, and shown without tricks", async () => {
    for (const tag of ["1.2.2", "1.2.3"]) await release(tag);
    const store = registry.store("prod/app");
    const [good] = (await history(`${prod()}:stable`)).map(({ receipt }) => receipt);
    const hostile: readonly unknown[] = [
      "{",
      null,
      [],
      { ...good, version: 2 },
      { ...good, digest: digestOf(newer) },
      { ...good, when: "soon" },
      { ...good, to: "../../etc" },
      { ...good, tags: [{ tag: "../x", before: null }] },
      { ...good, extra: true },
      { ...good, reason: "x".repeat(300_000) },
    ];
    for (const one of hostile) {
      const bytes = Buffer.from(typeof one === "string" ? one : JSON.stringify(one));
      await attach(
        store,
        { artifactType: receiptType, files: [artifactFile(bytes, receiptType)] },
        { subject: "stable" },
      );
    }
    await attach(store, { artifactType: receiptType, files: [] }, { subject: "stable" });
    const trick = { ...good, who: { name: "\u001B[31mroot\u001B[0m" }, when: "2020-01-01T00:00:00Z" };
    const file = artifactFile(Buffer.from(JSON.stringify(trick)), receiptType);
    await attach(store, { artifactType: receiptType, files: [file] }, { subject: "stable" });
    const { stdout, code } = await gantry(["promote", "history", `${prod()}@${digestOf(app)}`]);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(3);
    expect(stdout).toContain("\\u001b[31mroot");
    const { steps } = planIn(await gantry(["rollback", `${prod()}:stable`, "--format", "json"]));
    expect(steps[0]).toMatchObject({ digest: digestOf(older) });
  });

  test("a stage stands for its place: with an image where it has one for each, else by itself", async () => {
    const stages = {
      live: { to: `${host}/live/app:live` },
      prod: { to: `${host}/prod/{name}`, tags: ["{tag}", "stable"] },
    };
    const env = { GANTRY_PROMOTE: JSON.stringify({ stages }) };
    for (const tag of ["1.2.2", "1.2.3"]) {
      for (const to of ["live", "prod"]) {
        const { code, stderr } = await gantry(["promote", `${dev}:${tag}`, "--to", to, "--yes"], { env });
        expect(code, stderr).toBe(0);
      }
    }
    const planned = async (...words: string[]): Promise<Plan> =>
      planIn(await gantry([...words, "--format", "json"], { env }));
    expect((await planned("rollback", "live")).steps[0]).toMatchObject({ at: `${host}/live/app:live` });
    expect((await planned("rollback", `${dev}:1.2.3`, "--at", "prod")).steps[0]).toMatchObject({
      at: `${prod()}:stable`,
    });
    expect((await planned("rollback", dev, "--at", "prod")).steps[0]).toMatchObject({ at: `${prod()}:stable` });
    const all = await gantry(["promote", "history", `${dev}:1.2.3`, "--at", "prod", "--format", "json"], { env });
    expect(JSON.parse(all.stdout)).toHaveLength(2);
    const bare = await gantry(["rollback", "prod"], { env });
    expect([bare.code, bare.stderr]).toEqual([
      2,
      expect.stringContaining("the stage prod has a place, or tags, for each image"),
    ]);
    expect((await gantry(["rollback", `${dev}:1.2.3`, "--at", "prdo"], { env })).stderr).toContain('no stage "prdo"');
  });
});

test("an index goes whole, with what hangs on its images", async () => {
  const children = ["linux/amd64", "linux/arm64"].map((platform) => image(platform, { platform }));
  await putImage(registry.store("dev/app"), indexOf(children), "2.0.0");
  await putImage(registry.store("dev/app"), artifact("sbom", children[1]!.manifest.descriptor));
  expect((await promote([`${dev}:2.0.0`, "--to", `${host}/prod/app`, "-y"])).code).toBe(0);
  for (const child of children) expect(await registry.store("prod/app").head(digestOf(child))).toBeDefined();
  expect(await Array.fromAsync(registry.store("prod/app").referrers(digestOf(children[1]!)))).toHaveLength(1);
});
