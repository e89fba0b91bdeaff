import { describe, expect, test } from "vitest";
import { image, putImage, twoPlatforms } from "../support/images.ts";
import { gantry, must, testRegistry, type TestRegistry } from "./support.ts";

const app = twoPlatforms("app");
const { digest } = app.manifest.descriptor;
const layer = app.children[1]!.blobs[2]!.descriptor.digest;

async function withApp(): Promise<TestRegistry> {
  const registry = await testRegistry();
  await putImage(registry.store("app"), app, "1");
  return registry;
}

test("what is whole is whole", async () => {
  const { host } = await withApp();
  expect(await must("check", `${host}/app:1`)).toBe(`${host}/app:1@${digest}: whole: 3 manifests, 6 blobs, 6.1 kB\n`);
});

describe("a hole", () => {
  test("is found, and ends the command with 1", async () => {
    const { host, lose } = await withApp();
    lose(layer);
    const { code, stdout, stderr } = await gantry(["check", `${host}/app:1`]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toBe(
      [
        `${host}/app:1@${digest}: 1 fault in 3 manifests, 6 blobs, 6.1 kB`,
        `WHERE                  FAULT    KIND  DIGEST`,
        `linux/arm64 > layer 2  missing  blob  ${layer}`,
        "",
      ].join("\n"),
    );
  });

  test("is filled from another copy", async () => {
    const [broken, good] = [await withApp(), await withApp()];
    broken.lose(layer);
    expect(await must("check", `${broken.host}/app:1`, "--repair-from", `${good.host}/app:1`)).toContain(
      "whole: 3 manifests, 6 blobs, 6.1 kB, 1 of them repaired",
    );
    expect((await gantry(["check", "--deep", `${broken.host}/app:1`])).code).toBe(0);
  });

  test("that the other copy has too stays, and is told", async () => {
    const [broken, other] = [await withApp(), await withApp()];
    for (const registry of [broken, other]) registry.lose(layer);
    const { code, stdout } = await gantry([
      "check",
      `${broken.host}/app:1`,
      "--repair-from",
      `${other.host}/app:1`,
      "--format",
      "json",
    ]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [{ fault: "missing", digest: layer }], repaired: [] });
  });
});

describe("a copy to repair from", () => {
  const whole = expect.stringContaining("whole: 3 manifests");

  test.each([
    ["is not there, whatever is there else", "app:none", "is not there"],
    ["is in no repository that there is", "none:1", "is not there"],
    ["is of another image", "other:1", `has no copy of this image: it does not have ${digest}`],
    [
      "is named by its repository, which has not got it",
      "other",
      `has no copy of this image: it does not have ${digest}`,
    ],
  ])("is told where it %s", async (_, spare, why) => {
    const { host, store, lose } = await withApp();
    await putImage(store("other"), image("other"), "1");
    const line = ["check", `${host}/app:1`, "--repair-from", `${host}/${spare}`];
    const warning = `warning: --repair-from ${host}/${spare} ${why}\n`;
    expect(await gantry(line)).toMatchObject({ code: 0, stdout: whole, stderr: warning });
    if (spare.startsWith("app:")) return;
    lose(layer);
    expect(await gantry(line)).toMatchObject({ code: 1, stderr: warning });
  });

  test("is told where it cannot be asked, and what is whole stays whole", async () => {
    const { host } = await withApp();
    const line = ["check", `${host}/app:1`, "--repair-from", "localhost:1/app", "--retries", "0"];
    expect(await gantry(line)).toMatchObject({
      code: 0,
      stdout: whole,
      stderr: expect.stringMatching(/^warning: --repair-from localhost:1\/app: .*refused the connection/),
    });
  });
});

test("damage is found by reading every byte", async () => {
  const { host, damage } = await withApp();
  damage(layer);
  expect((await gantry(["check", `${host}/app:1`])).code).toBe(0);
  expect(await gantry(["check", "--deep", `${host}/app:1`, "--retries", "0"])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("corrupt"),
  });
});

test("what is not there at all is not found", async () => {
  const { host } = await withApp();
  expect((await gantry(["check", `${host}/app:none`])).code).toBe(3);
});
