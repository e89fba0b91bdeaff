import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const src = resolve(import.meta.dirname, "../src");

/** What the composition root puts together. */
const composed: readonly string[] = [
  "oci",
  "transport",
  "auth",
  "store",
  "graph",
  "image",
  "policy",
  "provider",
  "hosts",
  "config",
  "doctor",
  "events.ts",
  "version.ts",
  "copy-locations.ts",
  "document",
  "plan",
  "text",
  "in-use",
  "bundle",
  "sync",
  "watch",
];

/** What each folder of src/ may import beside itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  oci: [],
  text: [],
  files: ["oci"],
  transport: ["oci"],
  auth: ["oci", "files", "transport"],
  store: ["oci", "files", "transport"],
  document: ["oci"],
  graph: ["oci", "files", "store"],
  plan: ["oci", "text", "files", "document", "store", "graph"],
  "in-use": ["oci", "files", "document", "auth", "plan"],
  bundle: ["oci", "files", "document", "store", "graph", "plan"],
  watch: ["oci", "transport", "graph", "plan", "sync"],
  image: ["oci", "store", "graph"],
  provider: ["oci", "transport", "auth", "store", "graph", "policy"],
  policy: ["oci", "text", "document", "graph", "plan", "config/expand.ts", "config/quantity.ts"],
  sync: ["oci", "files", "document", "store", "graph", "plan", "policy", "provider", "client.ts"],
  hosts: ["oci", "transport"],
  config: ["oci"],
  doctor: ["oci", "transport", "auth", "store", "hosts"],
  server: ["oci", "files", "transport", "store", "graph"],
  "version.ts": [],
  "client.ts": [...composed, "machine.ts", "stack.ts", "services.ts", "plans.ts"],
  promotions: ["oci", "auth", "store", "graph", "policy", "provider", "client.ts"],
  "plans.ts": ["oci", "store", "graph", "plan", "sync", "bundle", "provider", "client.ts"],
  "watching.ts": ["oci", "plan", "policy", "sync", "transport", "watch", "plans.ts", "client.ts"],
  "bundles.ts": ["oci", "store", "plan", "policy", "bundle", "sync", "plans.ts", "client.ts"],
  "services.ts": [...composed, "stack.ts"],
  "machine.ts": [...composed, "client.ts"],
  "stack.ts": [...composed, "client.ts"],
  "copy-locations.ts": ["oci", "files", "store", "graph", "client.ts"],
  "events.ts": ["oci", "transport", "auth", "store", "graph", "image", "provider", "hosts", "doctor"],
  "index.ts": [...composed, "client.ts", "services.ts", "promotions", "bundles.ts", "watching.ts"],
  cli: [
    "index.ts",
    "store/index.ts",
    "server/index.ts",
    "plan/index.ts",
    "policy/index.ts",
    "files",
    "text",
    "version.ts",
  ],
};

const files = globSync("**/*.ts", { cwd: src });
const imports = (file: string): string[] =>
  [...readFileSync(join(src, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1]!);

test.each(files)("%s imports only what its layer may", (file) => {
  const layer = file.split("/")[0]!;
  expect(Object.keys(allowed), `src/${layer} is no layer`).toContain(layer);
  for (const target of imports(file)) {
    const path = relative(src, join(src, dirname(file), target));
    const root = path.split("/")[0]!;
    const fine = root === layer || allowed[layer]!.includes(root) || allowed[layer]!.includes(path);
    expect(fine, `src/${file} imports ${path}`).toBe(true);
  }
});

const ofServices = (file: string): boolean => file.startsWith("provider/") || file === "oci/reference.ts";
test.each(files.filter((file) => !ofServices(file)))("%s names no registry service", (file) => {
  const text = readFileSync(join(src, file), "utf8").replace(/application\/vnd\.[\w.+-]+/g, "");
  expect(text).not.toMatch(/docker\.io|ghcr\.io|gcr\.io|pkg\.dev|azurecr|amazonaws|quay\.io|gitlab\.com/);
});

const composes = (file: string): boolean => /^(client|machine|stack)\.ts$|^cli\//.test(file);
test.each(files.filter((file) => !composes(file)))("%s reads neither environment nor home directory", (file) => {
  expect(readFileSync(join(src, file), "utf8")).not.toMatch(/process\.env|homedir\(/);
});
