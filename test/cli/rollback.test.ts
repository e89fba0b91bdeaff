import { describe, expect, test } from "vitest";
import { artifactFile, attach, type Digest, type Plan } from "../../src/index.ts";
import { receiptType, type Receipt } from "../../src/policy/index.ts";
import { putImage } from "../support/images.ts";
import { app, digestOf, newer, older, planIn, promote, promoteScene, refusals } from "./promote-scene.ts";
import { gantry, type Ended } from "./support.ts";

const scene = promoteScene();
const named = async (repository: string, tag: string): Promise<Digest | undefined> =>
  (await scene.registry.store(repository).head(tag))?.digest;

describe("promote history and rollback", () => {
  const prod = (): string => `${scene.host}/prod/app`;
  const release = (tag: string): Promise<Ended> =>
    promote([`${scene.dev}:${tag}`, "--to", prod(), "--tag", `${tag},stable`, "--by", "carol", "--yes"]);
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
      expect(await scene.registry.store("prod/app").head(digestOf(left))).toBeDefined();
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
      expect.stringContaining(`${prod()}:stable was new when it was promoted: there is nothing to go back to`),
    ]);
  });

  test("a history of nothing is told; of what is not there, it is an error", async () => {
    const { dev, host } = scene;
    for (const place of [dev, `${dev}:1.2.3`, `${dev}@${digestOf(app)}`]) {
      expect(await gantry(["promote", "history", place])).toEqual(
        expect.objectContaining({ code: 0, stdout: "", stderr: `no receipt tells of a promotion to ${place}\n` }),
      );
      expect(await history(place)).toEqual([]);
    }
    const absent = `sha256:${"0".repeat(64)}`;
    for (const [place, why] of [
      [`${host}/none`, `cannot list the tags of ${host}/none`],
      [`${host}/none:1`, `${host}/none has no tag 1`],
      [`${dev}:none`, `${dev} has no tag none`],
      [`${dev}@${absent}`, `${dev}@${absent} is not there`],
    ] as const) {
      const { code, stdout, stderr } = await gantry(["promote", "history", place]);
      expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: "", stderr: expect.stringContaining(why) });
    }
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

  test("--tag takes back some of the tags that were promoted together", async () => {
    for (const tag of ["1.2.2", "1.2.3"]) {
      await promote([`${scene.dev}:${tag}`, "--to", prod(), "--tag", `${tag},stable`, "--semver-tags", "--yes"]);
    }
    const line = ["rollback", `${prod()}:stable`, "--format", "json"];
    const moved = async (...more: string[]): Promise<string[]> =>
      planIn(await gantry([...line, ...more])).steps.flatMap(({ do: what, at }) => (what === "tag" ? [at] : []));
    expect(await moved()).toEqual([`${prod()}:stable`, `${prod()}:1.2`, `${prod()}:1`]);
    expect(await moved("--tag", "1.2,1")).toEqual([`${prod()}:1.2`, `${prod()}:1`]);
    const wrong = await gantry([...line, "--tag", "live"]);
    expect(wrong.stderr).toContain("the last promotion moved 1.2.3, stable, 1.2, 1 alone");
  });

  test("an image that is gone, and a tag that moved on since, are told", async () => {
    for (const tag of ["1.2.2", "1.2.3"]) await release(tag);
    await putImage(scene.registry.store("prod/app"), newer, "1.2.3");
    const moved = planIn(await gantry(["rollback", `${prod()}:stable`, "--format", "json"]));
    expect(moved.kept).toEqual([
      {
        at: `${prod()}:1.2.3`,
        digest: digestOf(newer),
        why: `it names ${digestOf(newer)}, which was not promoted with stable`,
      },
    ]);
    await scene.registry.store("prod/app").deleteManifest(digestOf(older));
    const gone = await gantry(["rollback", `${prod()}:stable`, "--format", "json"]);
    expect([gone.code, refusals(gone)]).toEqual([
      5,
      [`${digestOf(older)}, which it named before, is not there any more`],
    ]);
  });

  test("what others attached under the name of a receipt is passed over, and shown without tricks", async () => {
    for (const tag of ["1.2.2", "1.2.3"]) await release(tag);
    const store = scene.registry.store("prod/app");
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
      live: { to: `${scene.host}/live/app:live` },
      prod: { to: `${scene.host}/prod/{name}`, tags: ["{tag}", "stable"] },
    };
    const env = { GANTRY_PROMOTE: JSON.stringify({ stages }) };
    for (const tag of ["1.2.2", "1.2.3"]) {
      for (const to of ["live", "prod"]) {
        const { code, stderr } = await gantry(["promote", `${scene.dev}:${tag}`, "--to", to, "--yes"], { env });
        expect(code, stderr).toBe(0);
      }
    }
    const planned = async (...words: string[]): Promise<Plan> =>
      planIn(await gantry([...words, "--format", "json"], { env }));
    expect((await planned("rollback", "live")).steps[0]).toMatchObject({ at: `${scene.host}/live/app:live` });
    const [moved, receipt] = (await planned("rollback", `${prod()}:stable`)).steps;
    expect(moved!.why).toBe("it goes back from 1.2.3 to 1.2.2");
    expect(receipt).toMatchObject({ document: { kind: "rollback", stage: "prod", release: "1.2.2" } });
    expect((await planned("rollback", `${scene.dev}:1.2.3`, "--at", "prod")).steps[0]).toMatchObject({
      at: `${prod()}:stable`,
    });
    expect((await planned("rollback", scene.dev, "--at", "prod")).steps[0]).toMatchObject({ at: `${prod()}:stable` });
    const all = await gantry(["promote", "history", `${scene.dev}:1.2.3`, "--at", "prod", "--format", "json"], { env });
    expect(JSON.parse(all.stdout)).toHaveLength(2);
    for (const line of [["promote", "history"], ["rollback"]]) {
      const none = await gantry([...line, `${scene.host}/dev/none:1`, "--at", "prod"], { env });
      expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining(`gantry ls ${scene.host}/prod/none\n`) });
      expect(none.stderr).not.toContain(`ls ${scene.host}/dev`);
    }
    const bare = await gantry(["rollback", "prod"], { env });
    expect([bare.code, bare.stderr]).toEqual([
      2,
      expect.stringContaining("the stage prod has a place, or tags, for each image"),
    ]);
    for (const line of [
      ["rollback", `${scene.dev}:1.2.3`, "--at", "prdo"],
      ["rollback", "prdo"],
      ["promote", "history", "prdo"],
    ]) {
      const { code, stderr } = await gantry(line, { env });
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/there is no stage "prdo"\n  hint  the stages are .*prod/),
      ]);
    }
  });
});
