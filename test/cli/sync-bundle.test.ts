import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { artifact, image, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, must, testRegistry, type Ended, type TestRegistry } from "./support.ts";

type Image = ReturnType<typeof image>;

interface Scene {
  readonly source: TestRegistry;
  /** The registry behind the gap. */
  readonly inside: TestRegistry;
  readonly file: string;
  readonly bundle: string;
  readonly record: string;
}

async function scene(more: object = {}): Promise<Scene> {
  const [source, inside, folder] = [await testRegistry(), await testRegistry(), await temporaryDirectory()];
  const mapping = { name: "app", from: `${source.host}/app`, to: `${inside.host}/copies/{name}`, ...more };
  const file = join(folder, "sync.json");
  await writeFile(file, JSON.stringify({ version: 1, sync: [mapping] }));
  return { source, inside, file, bundle: join(folder, "b.tar"), record: join(folder, "have.json") };
}

const sync = (...words: readonly string[]): Promise<Ended> => gantry(["sync", ...words]);

test("from a file to a bundle to a registry, and the next time only what is new", async () => {
  const { source, inside, file, bundle, record } = await scene();
  const first = twoPlatforms("first");
  await putImage(source.store("app"), first, "1.0");
  await putImage(source.store("app"), artifact("sbom", first.manifest.descriptor));

  const shown = await sync(file, "--to", bundle, "--detailed-exitcode");
  expect([shown.code, existsSync(bundle)]).toEqual([7, false]);
  expect(shown.stdout).toMatch(new RegExp(`^${inside.host}/copies/app\n  copy +:1\\.0 `, "m"));
  const written = await sync(file, "--to", bundle, "--yes");
  expect([written.code, written.stderr]).toEqual([0, expect.stringContaining("b.tar: 1 image, ")]);

  const planned = await sync("--from", bundle, "--dest-creds", "anybody:secret");
  expect([
    planned.code,
    await inside
      .store("copies/app")
      .head("1.0")
      .catch(() => undefined),
  ]).toEqual([0, undefined]);
  const brought = await sync("--from", bundle, "--yes", "--record", record);
  expect([brought.code, brought.stderr]).toEqual([0, expect.stringContaining("have.json: 1 repository\n")]);
  expect((await inside.store("copies/app").head("1.0"))?.digest).toBe(first.manifest.descriptor.digest);
  expect(await Array.fromAsync(inside.store("copies/app").referrers(first.manifest.descriptor.digest))).toHaveLength(1);

  const kept = await sync(file, "--to", bundle, "--have", record, "--format", "json");
  expect(JSON.parse(kept.stdout)).toMatchObject({ steps: [], kept: [{ at: `${inside.host}/copies/app:1.0` }] });
  const second = image("second");
  await putImage(source.store("app"), second, "2.0");
  await must("sync", file, "--to", bundle, "--have", record, "--yes");
  const next = await sync("--from", bundle, "--yes", "--format", "json");
  expect(JSON.parse(next.stdout)).toMatchObject({
    complete: true,
    steps: [{ do: "copy", at: `${inside.host}/copies/app:2.0`, outcome: "done" }],
  });
});

test("what was written down by --record at the destination makes the bundle small", async () => {
  const { source, inside, file, bundle, record } = await scene();
  await putImage(source.store("app"), image("app", { layers: 3, layerSize: 100_000 }), "2.0");
  await putImage(inside.store("copies/app"), image("app", { layers: 2, layerSize: 100_000 }), "1.0");
  const { code, stdout } = await sync(file, "--record", record);
  expect([code, stdout]).toEqual([0, ""]);
  await must("sync", file, "--to", bundle, "--have", record, "--yes");
  expect((await readFile(bundle)).length).toBeLessThan(120_000);
  await must("sync", "--from", bundle, "--yes");
  expect(await inside.store("copies/app").head("2.0")).toBeDefined();
});

test("what another repository of the destination has is left out, and mounted there", async () => {
  const { source, inside, file, bundle, record } = await scene();
  const other = await testRegistry();
  const [base, app] = [2, 3].map((layers) => image("shared", { layers, layerSize: 100_000 })) as [Image, Image];
  const mapping = (name: string) => ({ name, from: `${source.host}/${name}`, to: `${inside.host}/copies/{name}` });
  await writeFile(file, JSON.stringify({ version: 1, sync: [mapping("base"), mapping("app")] }));
  await putImage(source.store("base"), base, "1.0");
  await putImage(source.store("app"), app, "1.0");
  await putImage(inside.store("copies/base"), base, "1.0");
  await must("sync", file, "--record", record);
  await must("sync", file, "--to", bundle, "--have", record, "--yes");
  expect((await readFile(bundle)).length).toBeLessThan(120_000);
  const layer = base.blobs.at(-1)!.descriptor.digest;

  const refused = await sync("--from", bundle, "--to", `${other.host}/deep`, "--yes");
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining("neither the bundle nor the destination has sha256:"),
  ]);
  await putImage(other.store("deep/copies/base"), base, "1.0");
  await must("sync", "--from", bundle, "--to", `${other.host}/deep`, "--yes");
  expect((await other.store("deep/copies/app").head("1.0"))?.digest).toBe(app.manifest.descriptor.digest);
  expect(await other.store("deep/copies/app").size(layer)).toBe(100_000);

  await must("sync", "--from", bundle, "--out", record);
  const plan = await readFile(record);
  await must("apply", record, "--yes");
  expect(await inside.store("copies/app").size(layer)).toBe(100_000);
  expect((await sync("--from", bundle, "--format", "json")).stdout).toContain("it is there");
  // The plan of before is done already.
  expect(await readFile(record)).toEqual(plan);
  expect((await gantry(["apply", record, "--yes"])).code).toBe(0);
});

test("a saved plan of a bundle can be applied later", async () => {
  const { source, inside, file, bundle, record } = await scene();
  await putImage(source.store("app"), image("app"), "1.0");
  await must("sync", file, "--to", bundle, "--yes");
  await must("sync", "--from", bundle, "--out", record);
  await must("apply", record, "--yes");
  expect(await inside.store("copies/app").head("1.0")).toBeDefined();
});

test("--to takes all of it to another registry", async () => {
  const { source, file, bundle } = await scene();
  const other = await testRegistry();
  await putImage(source.store("app"), image("app"), "1.0");
  await must("sync", file, "--to", bundle, "--yes");
  await must("sync", "--from", bundle, "--to", `${other.host}/deep`, "--yes");
  expect(await other.store("deep/copies/app").head("1.0")).toBeDefined();
});

test("what the destination has lost is named, and the rest is brought", async () => {
  const { source, inside, file, bundle, record } = await scene();
  const app = image("app", { layers: 3 });
  await putImage(source.store("app"), app, "2.0");
  await putImage(source.store("app"), image("other"), "o");
  await putImage(inside.store("copies/app"), image("app"), "1.0");
  await must("sync", file, "--record", record);
  await must("sync", file, "--to", bundle, "--have", record, "--yes");
  const lost = app.blobs[1]!.descriptor.digest;
  inside.lose(lost);
  const { code, stderr } = await sync("--from", bundle, "--yes");
  expect(code).toBe(6);
  expect(stderr).toContain(`neither the bundle nor the destination has ${lost}`);
  expect(await inside.store("copies/app").head("o")).toBeDefined();
  expect(await inside.store("copies/app").head("2.0")).toBeUndefined();
});

test("what a bundle cannot do of a mapping is said", async () => {
  const { source, file, bundle } = await scene({ prune: true, backup: "{tag}-{date}" });
  await putImage(source.store("app"), image("app"), "1.0");
  const { code, stderr } = await sync(file, "--to", bundle);
  expect([code, stderr]).toEqual([
    0,
    "warning: app: a bundle does nothing about prune and backup: nobody can look at the destination\n",
  ]);
});

test("a bundle is for registries: local places are left out, and alone refused", async () => {
  const { source, inside, file, bundle, record } = await scene();
  await putImage(source.store("app"), image("app"), "1.0");
  const withTargets = (to: readonly string[]): Promise<void> =>
    writeFile(file, JSON.stringify({ version: 1, sync: [{ name: "app", from: `${source.host}/app`, to }] }));
  await withTargets([`oci:${bundle}.oci`, `${inside.host}/copies/app`]);
  expect(await sync(file, "--record", record)).toMatchObject({ code: 0 });
  const { code, stderr } = await sync(file, "--to", bundle, "--have", record, "--yes");
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining(`warning: app: a bundle brings nothing to oci:${bundle}.oci, but to registries alone\n`),
  ]);
  expect(await must("sync", "--from", bundle, "--yes")).toContain("copies/app");
  await withTargets([`oci:${bundle}.oci`]);
  for (const words of [
    ["--to", bundle],
    ["--record", record],
  ])
    expect(await sync(file, ...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("a bundle is for registries, and no mapping has a destination in one"),
    });
});

test("a damaged bundle is refused before anything is asked of the destination", async () => {
  const { source, file, bundle } = await scene();
  await putImage(source.store("app"), image("app"), "1.0");
  await must("sync", file, "--to", bundle, "--yes");
  const bytes = await readFile(bundle);
  bytes[700]! ^= 1;
  await writeFile(bundle, bytes);
  for (const beside of [true, false]) {
    if (!beside) await rm(`${bundle}.sha256`);
    const { code, stderr } = await sync("--from", bundle, "--yes");
    expect([code, stderr]).toEqual([1, expect.stringContaining("is damaged")]);
  }
});

test("one image that cannot be read leaves the others, and ends with 6", async () => {
  const { source, file, bundle } = await scene();
  const [good, bad] = [image("good"), image("bad")];
  await putImage(source.store("app"), good, "good");
  await putImage(source.store("app"), bad, "bad");
  source.lose(bad.blobs[1]!.descriptor.digest);
  const { code, stdout } = await sync(file, "--to", bundle, "--yes", "--format", "json");
  expect(code).toBe(6);
  expect(JSON.parse(stdout)).toMatchObject({ complete: false, steps: [{ outcome: "failed" }, { outcome: "done" }] });
  expect(existsSync(bundle)).toBe(true);
});

test.each([
  [[], "name a FILE, or --from BUNDLE"],
  [["f", "--from", "b"], "a FILE and --from"],
  [["f", "--have", "h"], "--have goes with --to"],
  [["f", "--to", "b", "--record", "r"], "one of them is too many"],
  [["--from", "b", "--record", "r"], "--record goes with --yes here"],
  [["f", "--watch", "--to", "b"], "--watch needs a FILE"],
  [["-", "--watch"], "--watch needs a FILE"],
  [["f", "--listen", "127.0.0.1:0"], "--listen and --drain go with --watch"],
  [["--from", "/nonexistent.tar"], "there is no bundle at /nonexistent.tar"],
])("ends with 2: sync %j", async (words, message) => {
  const { code, stderr } = await sync(...words);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});
