import { existsSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/index.ts";
import type { Receipt } from "../../src/policy/index.ts";
import { artifact, image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { app, digestOf, older, planIn, promote, promoteScene, receiptsAt, refusals } from "./promote-scene.ts";
import { gantry, type Ended } from "./support.ts";

const scene = promoteScene();
const named = async (repository: string, tag: string): Promise<Digest | undefined> =>
  (await scene.registry.store(repository).head(tag))?.digest;

describe("gates", () => {
  const stages = (more: object = {}): object => ({
    staging: { to: `${scene.host}/staging/{name}`, tags: ["{tag}", "latest"] },
    prod: {
      to: `${scene.host}/prod/{name}`,
      tags: ["{tag}", "{major}.{minor}", "stable"],
      from: "staging",
      gates: more,
    },
  });
  const toProd = (more: object = {}, words: readonly string[] = [], env: Record<string, string> = {}): Promise<Ended> =>
    promote([`${scene.dev}:1.2.3`, "--to", "prod", "--format", "json", ...words], stages(more), env);
  const inStaging = (): Promise<Ended> => promote([`${scene.dev}:1.2.3`, "--to", "staging", "-y"], stages());
  const because = (what: string): string[] => [`${scene.dev}:1.2.3@${digestOf(app)}: ${what}`];

  test("a stage takes only what the stage before has", async () => {
    const early = await toProd();
    expect([early.code, refusals(early)]).toEqual([5, because("from: staging does not have it")]);
    expect((await inStaging()).code).toBe(0);
    const ended = await promote([`${scene.host}/staging/app:1.2.3`, "--to", "prod", "--yes"], stages());
    expect(ended.code, ended.stderr).toBe(0);
    for (const tag of ["1.2.3", "1.2", "stable"]) expect(await named("prod/app", tag)).toBe(digestOf(app));
    const receipts = await receiptsAt(scene.registry.store("prod/app"), app);
    expect(receipts.map(({ stage, to }) => `${stage}: ${to}`).toSorted()).toEqual([
      `prod: ${scene.host}/prod/app`,
      `staging: ${scene.host}/staging/app`,
    ]);
    expect(receipts.find(({ stage }) => stage === "prod")!.gates).toEqual([
      { gate: "from", passed: true, message: "staging has it", when: expect.any(String) },
    ]);
  });

  test("what the stage before went back from is not taken", async () => {
    await promote([`${scene.dev}:1.2.2`, "--to", "staging", "-y"], stages());
    await inStaging();
    const env = { GANTRY_PROMOTE: JSON.stringify({ stages: stages() }) };
    const back = await gantry(["rollback", `${scene.dev}:1.2.3`, "--at", "staging", "--yes"], { env });
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
      await putImage(scene.registry.store("dev/app"), one, tag);
    const first = { live: { to: `${scene.host}/live/app`, gates: { age: "1w" } } };
    const gateOf = async (tag: string): Promise<string[]> =>
      refusals(await promote([`${scene.dev}:${tag}`, "--to", "live", "--format", "json"], first));
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
    const store = scene.registry.store("dev/app");
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
    const receipts = await receiptsAt(scene.registry.store("prod/app"), app);
    expect(receipts.find(({ stage }) => stage === "prod")!.gates[1]).toMatchObject({ message: "approved by bob" });
  });

  test("a name that is none approves nothing, and does nothing", async () => {
    await inStaging();
    for (const [option, value] of [
      ["--approve", ""],
      ["--approve", " "],
      ["--by", ""],
      ["--reason", " "],
    ] as const) {
      const ended = await toProd({ approval: ["*"] }, [option, value]);
      expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("has between 1 and 500 characters")]);
    }
  });

  test("an image that came to the stage before without a receipt has no age there, however old it is", async () => {
    const dated = image("dated", { annotations: { "org.opencontainers.image.created": "2020-01-01T00:00:00Z" } });
    for (const repository of ["dev/app", "staging/app"])
      await putImage(scene.registry.store(repository), dated, "1.2.3");
    expect(refusals(await toProd({ age: "1h" }))).toEqual([
      expect.stringContaining("age: no receipt tells when it came to staging"),
    ]);
  });

  test("where a stage's place is named in its stead, it is told that its gates were not looked at", async () => {
    const warnings = async (to: string, ...words: string[]): Promise<string[]> => {
      const ended = await promote([`${scene.dev}:1.2.3`, "--to", to, "--format", "json", ...words], stages());
      return planIn(ended).notes.flatMap(({ level, message }) => (level === "warning" ? [message] : []));
    };
    const [place, from] = [`${scene.host}/prod/app`, `${scene.dev}:1.2.3@${digestOf(app)}`];
    const told = [`${from}: prod has its gates, and they were not looked at: --to prod`];
    expect(await warnings(place)).toEqual(told);
    expect(await warnings(place, "--tag", "stable")).toEqual(told);
    expect(await warnings(place, "--tag", "canary")).toEqual([]);
    expect(await warnings(`${scene.host}/staging/app`)).toEqual([]);
  });

  test("one image that a gate refuses stops no other, and the command says so", async () => {
    for (const tag of ["1.2.3", "1.2.4"])
      await promote([`${scene.dev}:${tag}`, "--to", "staging", "--tag", "{tag}", "-y"], stages());
    const all = ["1.2.2", "1.2.3", "1.2.4"].map((tag) => `${scene.dev}:${tag}`);
    const ended = await promote([...all, "--to", "prod", "--tag", "{tag}", "--yes"], stages());
    expect([ended.code, ended.stderr]).toEqual([5, expect.stringContaining("1.2.2@")]);
    expect(await named("prod/app", "1.2.2")).toBeUndefined();
    expect(await named("prod/app", "1.2.3")).toBe(digestOf(app));
    expect(await named("prod/app", "1.2.4")).toBeDefined();
  });

  test("a signal ends a command that hangs, and the promotion", async () => {
    await inStaging();
    const stop = new AbortController();
    const begun = join(await temporaryDirectory(), "begun");
    const commands = { hangs: ["sh", "-c", `touch ${begun}; sleep 600 & sleep 600`] };
    const words = [`${scene.dev}:1.2.3`, "--to", "prod", "--yes"];
    const env = { PATH: process.env["PATH"]!, GANTRY_PROMOTE: JSON.stringify({ stages: stages({ commands }) }) };
    const ended = gantry(["promote", ...words], { env, signal: stop.signal });
    while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect((await ended).code).toBe(130);
    expect(await named("prod/app", "1.2.3")).toBeUndefined();
  });

  test("a command decides, is told what it is about, and its secrets are in no receipt", async () => {
    await inStaging();
    const script = join(await temporaryDirectory(), "gate.sh");
    await writeFile(
      script,
      '#!/bin/sh\nprintf "%s %s %s $API_TOKEN\\033[1m!\\n" "$GANTRY_GATE_STAGE" "$GANTRY_GATE_TAGS" "$1"\n[ "$GANTRY_GATE_REFERENCE" = "$2" ]\n',
    );
    await chmod(script, 0o755);
    const reference = `${scene.dev}:1.2.3@${digestOf(app)}`;
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
      because(`command text: ${plainFile} cannot be run: permission denied`),
    );
    expect(refusals(await toProd({ commands: { lost: `${plainFile}.sh` } }, [], env))).toEqual(
      because(`command lost: ${plainFile}.sh cannot be run: it is not there, or what its first line names`),
    );
    expect(refusals(await toProd({ commands: { gone: "no-such-program" }, approval: "bob" }, [], env))).toEqual(
      because("approval: one of bob has to approve: --approve NAME"),
    );
  });

  test("stages that lead nowhere or in a circle are told with their key", async () => {
    const wrong = async (all: object): Promise<string> =>
      (await promote([`${scene.dev}:1.2.3`, "--to", "a"], all)).stderr;
    expect(await wrong({ a: { from: "b" } })).toContain("promote.stages.a.to is missing");
    expect(await wrong({ a: { to: "h/a", from: "b" } })).toContain(
      'promote.stages.a.from names "b", which is no stage',
    );
    expect(await wrong({ a: { to: "h/a", from: "b" }, b: { to: "h/b", from: "a" } })).toContain(
      "promote.stages.a.from leads in a circle: a, b, a",
    );
  });
});
