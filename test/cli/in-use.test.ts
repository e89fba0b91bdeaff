import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Digest } from "../../src/index.ts";
import { formatPlan, type Plan } from "../../src/plan/index.ts";
import { layoutStore } from "../../src/store/index.ts";
import { kubeconfig, kubernetes } from "../auth/kubernetes.ts";
import { artifact, image, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry, type TestRegistry } from "./support.ts";

const app = image("app");
const { digest } = app.manifest.descriptor;
const signature = artifact("signature", app.manifest.descriptor);

/** A registry with one image, and a plan that takes its manifest away. */
async function scene(): Promise<{ readonly registry: TestRegistry; readonly folder: string; readonly plan: string }> {
  const [registry, folder] = [await testRegistry(), await temporaryDirectory()];
  await putImage(registry.store("app"), app, "1.0");
  const at = `${registry.host}/app@${digest}`;
  const step = { id: "1", do: "delete manifest", at, digest, tags: ["1.0"], why: "it is old" } as const;
  const made: Plan = { version: 1, kind: "retain", made: "2026-11-20T14:05:00Z", steps: [step], kept: [], notes: [] };
  const plan = join(folder, "plan.json");
  await writeFile(plan, formatPlan(made));
  return { registry, folder, plan };
}

const configOf = (): Digest => app.manifest.config!.digest;

test.each([
  ["by its tag", (host: string) => `${host}/app:1.0`],
  ["by its digest", (host: string) => `${host}/app@${digest}`],
  ["by a digest alone", () => `docker://${digest}`],
  ["by its configuration, as some runtimes tell it", () => configOf()],
])("what is in use %s is not deleted, whatever a plan says", async (_, written) => {
  const { registry, folder, plan } = await scene();
  const used = join(folder, "used.txt");
  await writeFile(used, `${written(registry.host)}\n`);
  const { code, stdout } = await gantry(["apply", plan, "--yes", "--in-use", used, "--format", "json"]);
  expect(JSON.parse(stdout)).toMatchObject({ steps: [{ outcome: "stale", problem: `in use by ${used}` }] });
  expect(code).toBe(6);
  expect((await registry.store("app").head("1.0"))?.digest).toBe(digest);
});

test("what is in use elsewhere protects nothing here", async () => {
  const { registry, folder, plan } = await scene();
  const used = join(folder, "compose.yaml");
  await writeFile(used, `services: {a: {image: "registry.example/app@${digest}"}, b: {build: .}}`);
  const { code, stderr } = await gantry(["apply", plan, "--yes", "--in-use-compose", used]);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`note: ${used}: service b has no image: it is built`);
  expect(await registry.store("app").head("1.0")).toBeUndefined();
});

test.each([
  ["--in-use", "gone.txt", 2, /cannot read gone\.txt: there is no such file/],
  ["--in-use-compose", "gone.yaml", 2, /cannot read gone\.yaml: there is no such file/],
  ["--in-use-kubernetes", "prod", 2, /there is no Kubernetes cluster to ask/],
])("%s that cannot be read stops all deletion", async (option, value, code, message) => {
  const { registry, plan } = await scene();
  const ended = await gantry(["apply", plan, "--yes", option, value]);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toMatch(message);
  expect((await registry.store("app").head("1.0"))?.digest).toBe(digest);
});

test.each(["main", "eve"])("a cluster that shows %s nothing stops all deletion, with the way out", async (context) => {
  const { registry, plan } = await scene();
  const { url } = await kubernetes({ "/api/v1/pods?limit=500": 403 });
  const env = { KUBECONFIG: await kubeconfig(url) };
  const ended = await gantry(["apply", plan, "--yes", "--in-use-kubernetes", context], { env });
  expect(ended.code).toBe(4);
  expect(ended.stderr).toMatch(/hint +(give whoever Gantry runs as a ClusterRole|log in to the cluster)/);
  expect((await registry.store("app").head("1.0"))?.digest).toBe(digest);
});

test("a file that a command left empty stops all deletion; a list without images is told", async () => {
  const { registry, folder, plan } = await scene();
  const used = join(folder, "used.json");
  await writeFile(used, "");
  const empty = await gantry(["apply", plan, "--yes", "--in-use", used]);
  expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining(`${used}: there is nothing in it`)]);
  expect((await registry.store("app").head("1.0"))?.digest).toBe(digest);
  await writeFile(used, `{"kind": "List", "items": []}`);
  const ended = await gantry(["apply", plan, "--yes", "--in-use", used]);
  expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining(`note: ${used} names no image`)]);
});

test.each([
  ["a tag", ":1.0"],
  ["a digest", `@${digest}`],
  ["what is attached to it", `@${signature.manifest.descriptor.digest}`],
])("delete leaves %s alone that is in use", async (_, what) => {
  const { registry, folder } = await scene();
  const store = registry.store("app");
  await putImage(store, signature);
  const used = join(folder, "used.txt");
  await writeFile(used, `${registry.host}/app:1.0\n`);
  const gone = (...words: readonly string[]) => gantry(["delete", `${registry.host}/app${what}`, "--yes", ...words]);
  for (const more of [[], ["--dry-run"]]) {
    const { code, stderr } = await gone("--in-use", used, ...more);
    expect([code, stderr]).toEqual([5, expect.stringMatching(/ stays: (in use by .*used\.txt|attached to sha256:)/)]);
  }
  expect((await gone("--in-use", join(folder, "none.txt"))).code).toBe(2);
  expect((await store.head("1.0"))?.digest).toBe(digest);
  expect(await store.head(signature.manifest.descriptor.digest)).toBeDefined();
  await writeFile(used, `${registry.host}/other:1.0\n`);
  expect((await gone("--in-use", used)).code).toBe(0);
});

test("delete leaves alone what is in use by a digest that no tag leads to, and its parts, where tags alone are listed", async () => {
  const { registry, folder } = await scene();
  const store = registry.store("multi");
  const index = twoPlatforms("two");
  const root = index.manifest.descriptor;
  await putImage(store, index, "1.0");
  await putImage(store, image("newer"), "1.0");
  const [used, config] = [join(folder, "used.txt"), join(folder, "gantry.yaml")];
  await writeFile(used, `${registry.host}/multi@${root.digest}\n`);
  await writeFile(config, `inUse: {files: used.txt}\nhosts: {"${registry.host}": {provider: generic}}\n`);
  for (const digest of [root.digest, index.manifest.manifests[0]!.digest]) {
    const { code, stderr } = await gantry(["delete", `${registry.host}/multi@${digest}`, "--yes", "--config", config]);
    expect([code, stderr]).toEqual([5, expect.stringContaining(`multi@${digest} stays: `)]);
    expect(await store.head(digest)).toBeDefined();
  }
});

test("what has a platform in use stays for every command, with its tag and its signature", async () => {
  const { registry, folder, plan } = await scene();
  const [place, store] = [`${registry.host}/multi`, registry.store("multi")];
  const index = twoPlatforms("two");
  const root = index.manifest.descriptor;
  await putImage(store, index, "1.0");
  await putImage(store, artifact("signature", root), `${root.digest.replace(":", "-")}.sig`);
  await putImage(store, image("newer"), "2.0");
  const [used, policy] = [join(folder, "used.txt"), join(folder, "retain.yaml")];
  await writeFile(used, `${place}@${index.manifest.manifests[1]!.digest}\n`);
  await writeFile(policy, `version: 1\nrules: [{tags: ["*"], keep: {newest: 1, by: semver}}]\n`);
  const retain = ["retain", place, "--policy", policy];
  const planned = await gantry([...retain, "--in-use", used, "--kept"]);
  expect([planned.code, planned.stdout]).toEqual([0, expect.stringMatching(/1\.0 .*in use by/)]);
  expect((JSON.parse((await gantry([...retain, "--in-use", used, "--format", "json"])).stdout) as Plan).steps).toEqual(
    [],
  );
  expect((await gantry([...retain, "--out", plan])).code).toBe(0);
  for (const words of [
    ["apply", plan],
    ["delete", `${place}:1.0`],
  ]) {
    const { code, stdout, stderr } = await gantry([...words, "--yes", "--in-use", used]);
    expect([words[0] === "apply" ? 6 : 5, stdout + stderr]).toEqual([code, expect.stringContaining("in use by")]);
  }
  expect((await store.head("1.0"))?.digest).toBe(root.digest);
  expect(await store.head(`${root.digest.replace(":", "-")}.sig`)).toBeDefined();
  expect((await gantry(["apply", plan, "--yes"])).code).toBe(0);
  expect(await store.head("1.0")).toBeUndefined();
});

test("a tagged part of what is in use by a digest that no tag leads to stays, where tags alone are listed", async () => {
  const { registry, folder, plan } = await scene();
  const { host } = registry;
  const store = registry.store("multi");
  const index = twoPlatforms("two");
  const [root, part] = [index.manifest.descriptor, index.children[0]!];
  await putImage(store, index, "1.0");
  await putImage(store, part, "1.0-amd64");
  await putImage(store, image("newer"), "1.0");
  await putImage(store, image("newest"), "2.0-amd64");
  const [used, config, policy] = ["used.txt", "gantry.yaml", "retain.yaml"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(used, `${host}/multi@${root.digest}\n`);
  await writeFile(config, `inUse: {files: used.txt}\nhosts: {"${host}": {provider: generic}}\n`);
  await writeFile(policy, `version: 1\nrules: [{tags: ["*-amd64"], keep: {newest: 1, by: semver}}]\n`);
  const { digest: lost } = part.manifest.descriptor;
  const step = {
    id: "1",
    do: "delete manifest",
    at: `${host}/multi@${lost}`,
    digest: lost,
    tags: ["1.0-amd64"],
  } as const;
  const made: Plan = {
    version: 1,
    kind: "retain",
    made: "2026-11-20T14:05:00Z",
    steps: [{ ...step, why: "it is old" }],
    kept: [],
    notes: [],
  };
  await writeFile(plan, formatPlan(made));
  const applied = await gantry(["apply", plan, "--yes", "--config", config]);
  expect([applied.code, applied.stdout]).toEqual([6, expect.stringContaining(`a part of the index ${root.digest}`)]);
  const retain = ["retain", `${host}/multi`, "--policy", policy, "--config", config, "--format", "json"];
  expect((JSON.parse((await gantry(retain)).stdout) as Plan).steps.map(({ do: what, at }) => [what, at])).toEqual([
    ["delete tag", `${host}/multi:1.0-amd64`],
  ]);
  expect(await store.head(lost)).toBeDefined();
});

test("delete takes nothing where something cannot be read, so that nobody knows what is in use", async () => {
  const folder = await temporaryDirectory();
  const [layout, used] = [join(folder, "layout"), join(folder, "used.txt")];
  const store = layoutStore(layout);
  await putImage(store, app, "1.0");
  await putImage(store, image("next"), "2.0");
  await store.close();
  await writeFile(used, "registry.example/app:1.0\n");
  await writeFile(join(layout, "blobs", digest.replace(":", "/")), "{}");
  const words = ["delete", `oci:${layout}:2.0`, "--yes"];
  const { code, stderr } = await gantry([...words, "--in-use", used]);
  expect([code, stderr]).toEqual([5, expect.stringContaining("cannot be read, so that nobody knows what it needs")]);
  expect((await gantry(words)).code).toBe(0);
});

test("what the configuration says is in use stays for every command; an option takes its place", async () => {
  const { registry, folder, plan } = await scene();
  const { host } = registry;
  const [used, none, config] = ["used.txt", "none.txt", "gantry.yaml"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(used, `${host}/app:1.0\n`);
  await writeFile(none, "kind: List\nitems: []\n");
  await writeFile(config, "inUse: {files: used.txt}\n");
  const policy = join(folder, "retain.yaml");
  await writeFile(policy, `version: 1\nrules: [{tags: ["*"], keep: {newest: 1, by: semver}}]\nminKeep: 1\n`);
  await putImage(registry.store("app"), image("next"), "2.0");
  await putImage(registry.store("from"), image("next"), "2.0");
  const mappings = join(folder, "sync.yaml");
  await writeFile(
    mappings,
    `version: 1\nsync: [{name: a, from: "${host}/from", to: "${host}/app", prune: {maxDelete: 50%}}]\n`,
  );
  const commands = [
    ["retain", `${host}/app`, "--policy", policy, "--kept"],
    ["delete", `${host}/app:1.0`, "--yes"],
    ["sync", mappings, "--cache", "none", "--kept"],
    ["apply", plan, "--yes"],
  ];
  for (const words of commands) {
    const { stdout, stderr } = await gantry([...words, "--config", config]);
    expect((await registry.store("app").head("1.0"))?.digest, `${words.join(" ")}\n${stdout}\n${stderr}`).toBe(digest);
    expect(stdout + stderr).toContain(`in use by ${used}`);
  }
  const [retain, , sync] = commands as [string[], string[], string[]];
  const plans = [retain, sync].map(async (words) => {
    const { stdout, stderr } = await gantry([
      ...words.slice(0, -1),
      "--in-use",
      none,
      "--config",
      config,
      "--format",
      "json",
    ]);
    expect(stdout, stderr).not.toBe("");
    return (JSON.parse(stdout) as Plan).steps.map(({ do: what, at }) => `${what} ${at}`);
  });
  const gone = [`delete manifest ${host}/app@${digest}`];
  expect(await Promise.all(plans)).toEqual([gone, gone]);
  expect((await gantry([...sync.slice(0, -1), "--yes", "--in-use", none, "--config", config])).code).toBe(0);
  expect(await registry.store("app").head("1.0")).toBeUndefined();
});

test("a namespace without a cluster is a mistake, and what is in use is not read where nothing is deleted", async () => {
  const { registry, folder, plan } = await scene();
  const ended = await gantry(["apply", plan, "--yes", "--in-use-namespace", "shop"]);
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("namespace shop is to be looked into")]);
  const config = join(folder, "gantry.yaml");
  await writeFile(config, "inUse: {files: gone.txt}\n");
  const step = { id: "1", do: "tag", at: `${registry.host}/app:2.0`, digest, before: null, why: "it is so" } as const;
  await writeFile(
    plan,
    formatPlan({ version: 1, kind: "tags", made: "2026-11-20T14:05:00Z", steps: [step], kept: [], notes: [] }),
  );
  expect((await gantry(["apply", plan, "--yes", "--config", config])).code).toBe(0);
});
