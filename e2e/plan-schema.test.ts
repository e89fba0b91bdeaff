import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseYaml } from "../src/document/yaml.ts";
import { parse } from "yaml";
import { withJournal } from "../src/plan/journal.ts";
import { full, steps, wrong } from "../test/plan/samples.ts";
import { describeWith, peer } from "./support/peers.ts";
import { root, run } from "./support/run.ts";

// The JSON Schemas of plans, journals, policies and files of what is kept in sync, by a validator that others wrote.
describeWith("jsonschema", "plans by their schema", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gantry-e2e-schema-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function fits(schema: string, values: readonly unknown[]): Promise<boolean> {
    const files = await Promise.all(
      values.map(async (value, i) => {
        const file = join(folder, `${i}.json`);
        await writeFile(file, JSON.stringify(value ?? null));
        return ["-i", file];
      }),
    );
    const { code, stderr } = await run(peer("jsonschema")!.path, [...files.flat(), join(root, "schemas", schema)]);
    if (code !== 0 && code !== 1) throw new Error(stderr);
    return code === 0;
  }

  test("a plan with all there is", async () => {
    expect(await fits("plan.json", [full])).toBe(true);
  });

  test.each(Object.entries(wrong))("%s", async (_, [value]) => {
    expect(await fits("plan.json", [value])).toBe(false);
  });

  test("policies for retention", async () => {
    const text = await readFile(join(root, "docs/guide/retention.md"), "utf8");
    const policies = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, one = ""]) => parseYaml(one, "guide").value);
    expect(policies).toHaveLength(2);
    expect(await fits("retain.json", policies)).toBe(true);
    const rules = [{ tags: ["a"], delete: { olderThan: "14d" } }];
    const faulty = [{ version: 2 }, { rules: [] }, { protect: "a" }, { more: 1 }, { rules: [{ keep: { newest: 0 } }] }];
    for (const fault of [...faulty, { rules: [{ delete: { olderThan: "2 months" } }] }]) {
      expect(await fits("retain.json", [{ version: 1, rules, ...fault }]), JSON.stringify(fault)).toBe(false);
    }
  });

  test("the file of the guide, and what is wrong with a file", async () => {
    const guide = await readFile(join(root, "docs/guide/sync.md"), "utf8");
    const [, file = ""] = /^```yaml\n(.*?)^```/ms.exec(guide) ?? [];
    const { sync } = parse(file) as { sync: readonly object[] };
    expect(await fits("sync.json", [parse(file)])).toBe(true);
    for (const wrong of [
      { version: 2, sync },
      { version: 1, sync: [] },
      { version: 1, sync: [{ ...sync[0], tag: "v1" }] },
      { version: 1, defaults: { prune: { maxDelete: "ten" } }, sync },
    ]) {
      expect(await fits("sync.json", [wrong])).toBe(false);
    }
  });

  test("the lines of a journal", async () => {
    const path = join(folder, "journal");
    await withJournal(path, full, async (journal) => {
      for (const step of steps)
        await journal.begin(step, { tag: null, tags: [], existed: false, immutability: { tags: "mutable" } });
      for (const step of steps) journal.end(step, { outcome: "failed", why: "no", error: new Error("no") });
    });
    const lines = (await readFile(path, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toHaveLength(1 + 2 * steps.length);
    expect(await fits("journal.json", lines)).toBe(true);
    expect(await fits("journal.json", [{ line: "begin" }])).toBe(false);
  });
});
