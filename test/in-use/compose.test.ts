import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { usedInCompose } from "../../src/in-use/compose.ts";
import { temporaryDirectory } from "../support/temporary.ts";

async function files(texts: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryDirectory();
  for (const [name, text] of Object.entries(texts)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const shown = async (folder: string, env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> => {
  const { used } = await usedInCompose(join(folder, "compose.yaml"), env);
  return used.map(({ reference, by }) => `${reference} by ${by.replace(`${folder}/`, "")}`);
};

test("all services, whatever their profiles; variables, merges, mounts; what is built is told", async () => {
  const folder = await files({
    "compose.yaml": `
x-app: &app
  image: registry.example/app:\${TAG}
x-unused: {image: registry.example/unused:1}
services:
  web: {<<: *app, ports: ["80:80"]}
  other: {<<: [{restart: always}, *app], image: "registry.example/own:$TAG"}
  debug: {image: "registry.example/debug:\${DEBUG_TAG:-1}", profiles: [debug]}
  short: {image: alpine}
  built: {build: .}
  both: {build: ., image: registry.example/both:1}
  data:
    image: registry.example/data:1
    volumes: ["./a:/a", {type: image, source: "registry.example/models:\${TAG}", target: /m}]
`,
    ".env": "export TAG=1.0 # here\nDEBUG_TAG='7'\n",
  });
  const { notes } = await usedInCompose(join(folder, "compose.yaml"), {});
  expect(notes).toEqual([`${folder}/compose.yaml: service built has no image: it is built`]);
  expect(await shown(folder, { TAG: "2.0" })).toEqual([
    "registry.example/app:2.0 by compose.yaml: service web",
    "registry.example/own:2.0 by compose.yaml: service other",
    "registry.example/debug:7 by compose.yaml: service debug",
    "docker.io/library/alpine by compose.yaml: service short",
    "registry.example/both:1 by compose.yaml: service both",
    "registry.example/data:1 by compose.yaml: service data",
    "registry.example/models:2.0 by compose.yaml: service data",
  ]);
});

test("files that are included and extended, in circles too", async () => {
  const folder = await files({
    "compose.yaml": `
include: [sub/compose.yaml, {path: [more.yaml]}]
services:
  web: {extends: {file: base.yaml, service: base}}
  also: {extends: web}
`,
    "base.yaml": "services: {base: {extends: deep}, deep: {image: registry.example/base:1}}",
    "more.yaml": "include: [compose.yaml]\nservices: {more: {image: registry.example/more:1}}",
    "sub/compose.yaml": "services: {sub: {image: 'registry.example/sub:${V}'}}",
    "sub/.env": "V=3",
  });
  expect(await shown(folder)).toEqual([
    "registry.example/base:1 by compose.yaml: service web",
    "registry.example/base:1 by compose.yaml: service also",
    "registry.example/sub:3 by sub/compose.yaml: service sub",
    "registry.example/more:1 by more.yaml: service more",
  ]);
});

test("variables of a project go before those of what it includes or extends, which has others than those beside it", async () => {
  const folder = await files({
    "compose.yaml": `
include:
  - sub/compose.yaml
  - {path: [far/compose.yaml, far/more.yaml], project_directory: project, env_file: [one.env, two.env]}
services:
  web: {extends: {file: other/base.yaml, service: base}}
  built: {extends: {file: other/base.yaml, service: base}, image: "registry.example/\${NAME}:1"}
models: {llm: {model: "registry.example/llm:\${V}"}}
`,
    ".env": "V=2\nNAME=app-${V}\nODD='p$$w${'\n",
    "sub/compose.yaml": "services: {sub: {image: 'registry.example/sub:${V}-${OWN}'}}",
    "sub/.env": "V=3\nOWN=${V}",
    "far/compose.yaml": "include: [near.yaml]\nservices: {far: {image: 'registry.example/far:${V}-${A}-${B}'}}",
    "far/more.yaml": "services: {more: {extends: {file: base.yaml, service: base}}}",
    "far/.env": "A=5",
    "project/.env": "A=6",
    "project/near.yaml": "services: {near: {image: registry.example/near:1}}",
    "project/base.yaml": "services: {base: {image: 'registry.example/base:${A}'}}",
    "one.env": "V=7\nA=7\nB=7",
    "two.env": "B=8",
    "other/base.yaml": `
services:
  base:
    image: "registry.example/base:\${V}"
    volumes: [{type: image, source: "registry.example/data:\${V}", target: /data}]`,
    "other/.env": "V=4",
  });
  expect(await shown(folder)).toEqual([
    "registry.example/base:2 by compose.yaml: service web",
    "registry.example/data:2 by compose.yaml: service web",
    "registry.example/app-2:1 by compose.yaml: service built",
    "registry.example/data:2 by compose.yaml: service built",
    "registry.example/llm:2 by compose.yaml: model llm",
    "registry.example/sub:2-2 by sub/compose.yaml: service sub",
    "registry.example/far:2-7-8 by far/compose.yaml: service far",
    "registry.example/near:1 by project/near.yaml: service near",
    "registry.example/base:7 by far/more.yaml: service more",
  ]);
  const env = { COMPOSE_ENV_FILES: join(folder, "two.env"), V: "9", NAME: "app" };
  expect(await shown(folder, env)).toContain("registry.example/far:9-7-8 by far/compose.yaml: service far");
});

test.each([
  ["include: [{path: a.yaml, env_file: gone.env}]", "/gone.env: there is no such file or directory"],
  ["services: {}\nmodels: {llm: {model: 7}}", ": models.llm.model: is no text"],
  ["services: {}\nmodels: {llm: }", ": models.llm.model: is no text"],
])("%s: %s stops everything", async (text, message) => {
  const folder = await files({ "compose.yaml": text });
  await expect(shown(folder)).rejects.toThrow(message);
});

test.each([
  ["services:\n  web:\n    image: app:${TAG}\n", ":3:12: services.web.image: the variable TAG is not set"],
  ["services:\n  web:\n    image: [a]\n", ":3:12: services.web.image: is no text"],
  ["services: {a: {extends: b}, b: {extends: a}}", ":1:25: services.a.extends: leads to no service"],
  ["services: {a: {extends: a}}", ":1:25: services.a.extends: leads to no service"],
  ["services: {a: {extends: {service: x}}}", ":1:25: services.a.extends: leads to no service"],
  ["include: ['oci://registry.example/app']", ":1:11: include[0]: is no file, and so its images are not known"],
  ["include: [https://git.example/app.git]", ":1:11: include[0]: is no file, and so its images are not known"],
  ["services: 7", ":1:11: services: is no map"],
  ["services: []", ":1:11: services: is no map"],
  ["include: []\nservices:\n", ":2:10: services: is no map"],
  ["services: {a: 7}", ":1:15: services.a: is no map"],
  ["services: {a: }", ":1:15: services.a: is no map"],
  ["services: {a: {image: app}, b: [image]}", ":1:32: services.b: is no map"],
  ["include: 7", ":1:10: include[0]: is no file, and so its images are not known"],
  ["", ": this is no Compose file: it has no services"],
  ["web: {image: app}", ":1:1: this is no Compose file: it has no services"],
  ["services: {web: {image: App}}", ": service web: invalid reference"],
])("%s: %s", async (text, message) => {
  const folder = await files({ "compose.yaml": text });
  const file = join(folder, "compose.yaml");
  await expect(usedInCompose(file, {})).rejects.toMatchObject({
    code: "INVALID",
    message: expect.stringContaining(`${file}${message}`) as string,
  });
});

test("a file that is not there stops everything", async () => {
  const folder = await files({ "compose.yaml": "include: [gone.yaml]" });
  await expect(shown(folder)).rejects.toMatchObject({
    message: `cannot read ${folder}/gone.yaml: there is no such file or directory`,
  });
});
