import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry } from "./support.ts";

const [first, second] = [image("first"), image("second")];
const digestOf = ({ manifest }: typeof first): string => manifest.descriptor.digest;

async function scene() {
  const [registry, folder] = [await testRegistry(), await temporaryDirectory()];
  await putImage(registry.store("app"), first, "1.0.0");
  await putImage(registry.store("app"), second, "dev");
  const config = join(folder, "gantry-config.yaml");
  await writeFile(config, "tags: {immutable: ['semver:*', /keep-.+/]}\n");
  const app = `${registry.host}/app`;
  return { app, store: registry.store("app"), config, other: `${registry.host}/other` };
}

test("a tag that never moves is given once, and then to nothing else", async () => {
  const { app, store, config } = await scene();
  const tag = (...words: readonly string[]) => gantry(["tag", `${app}:dev`, ...words, "--config", config]);
  expect((await tag("2.0.0", "keep-me", "latest")).code).toBe(0);
  expect((await tag("2.0.0")).code).toBe(0);
  expect((await tag("2.0")).code).toBe(0);
  const refused = await tag("latest", "1.0.0");
  expect(refused.code).toBe(5);
  expect(refused.stderr).toContain(`${app}:1.0.0 never moves, as tags.immutable says, and it names ${digestOf(first)}`);
  expect((await tag("1.0.0", "--dry-run")).code).toBe(5);
  expect((await store.head("1.0.0"))?.digest).toBe(digestOf(first));
  expect((await tag("1.0.0", "--force")).code).toBe(0);
  expect((await store.head("1.0.0"))?.digest).toBe(digestOf(second));
});

test("a copy leaves it alone, and sends nothing", async () => {
  const { app, store, config, other } = await scene();
  const copy = (...words: readonly string[]) => gantry(["copy", ...words, "--config", config]);
  expect((await copy(`${app}:1.0.0`, `${other}:1.0.0`)).code).toBe(0);
  expect((await copy(`${app}:1.0.0`, `${other}:1.0.0`)).code).toBe(0);
  const refused = await copy(`${app}:dev`, `${other}:1.0.0`, `${other}:dev`);
  expect(refused.code).toBe(6);
  expect(refused.stderr).toContain(`${other}:1.0.0 never moves`);
  const alone = await copy(`${app}:dev`, `${other}:1.0.0`);
  expect(alone.code).toBe(5);
  expect(alone.stderr).toContain("hint   use a tag that is not there yet; if it has to move for once, say --force");
  expect((await copy("--no-clobber", `${app}:dev`, `${other}:1.0.0`)).code).toBe(0);
  await putImage(store, second, "1.0.0");
  const all = await copy("--all-tags", app, other);
  expect(all.code).toBe(6);
  expect(all.stderr).toContain(`${other}:1.0.0 never moves`);
  expect((await copy("--force", `${app}:dev`, `${other}:1.0.0`)).code).toBe(0);
});

test("a pattern that is none is named before anything is done", async () => {
  const { app, store, config } = await scene();
  await writeFile(config, "tags: {immutable: ['/(/']}\n");
  const { code, stderr } = await gantry(["tag", `${app}:dev`, "1.0.0", "--config", config]);
  expect(code).toBe(2);
  expect(stderr).toContain("tags.immutable of the configuration: ");
  expect((await store.head("1.0.0"))?.digest).toBe(digestOf(first));
});
