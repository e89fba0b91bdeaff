import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dregsy, imageSyncer, regsync, skopeo } from "../policy/sync/import/samples.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry } from "./support.ts";

test("prints YAML, and names on stderr what is lost", async () => {
  const { code, stdout, stderr } = await gantry(["sync", "import", "-"], { stdin: regsync });
  expect([code, stdout.split("\n")[0]]).toEqual([0, "# Not as it was:"]);
  expect(stdout).toContain("\nversion: 1\ndefaults:\n  schedule: 0 * * * *\n");
  expect(stderr).toContain(
    "stdin:4:10: creds[0].tls: belongs into gantry.yaml: hosts, registry:5000, plainHttp: true\n",
  );
});

test("writes a file, and nothing with --strict where something is lost", async () => {
  const folder = await temporaryDirectory();
  const [from, to] = [join(folder, "skopeo.yml"), join(folder, "sync.yaml")];
  await writeFile(from, skopeo);
  const words = ["sync", "import", "--to", "mirror.example", "-o", to, from];
  expect((await gantry([...words, "--strict"])).code).toBe(1);
  await expect(readFile(to)).rejects.toThrow("ENOENT");
  expect(await gantry(words)).toMatchObject({ code: 0, stdout: "" });
  expect(await readFile(to, "utf8")).toContain(
    "  - from: registry.example.com/busybox\n    to: mirror.example/{name}\n",
  );
});

test.each([
  ["regsync", regsync],
  ["dregsy", dregsy],
  ["image-syncer", imageSyncer],
])("a file of %s says itself where to: --to is refused", async (tool, text) => {
  const { code, stdout, stderr } = await gantry(["sync", "import", "--to", "mirror.example", "-"], { stdin: text });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(`stdin is of ${tool}, and says itself where each image goes`);
  expect(stderr).toContain("leave --to out, and change `to` in the result");
});

test.each([
  ["{}", "it cannot be told of which tool stdin is"],
  ['{"tasks": [{}]}', "stdin:1:12: tasks[0].name: is missing"],
  ['{"sync": []}', "nothing that stdin keeps in sync can be said"],
  ["{", "this is neither JSON nor YAML"],
])("ends with 2 for %s", async (text, message) => {
  const { code, stdout, stderr } = await gantry(["sync", "import", "-"], { stdin: text });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});
