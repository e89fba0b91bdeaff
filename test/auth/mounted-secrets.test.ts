import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { mountedSecretsSource } from "../../src/auth/mounted-secrets.ts";
import { base64, credentialContract, lineOf, secret } from "../contract/credentials.ts";
import { temporaryDirectory } from "../support/temporary.ts";

async function mount(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

const auth = "var/run/secrets/registry-auth";
const opaque = "etc/registry-secrets";
const pullSecret = "var/run/secrets/kubernetes.io/dockerconfigjson/.dockerconfigjson";
const config = (host: string, password: string): string =>
  JSON.stringify({ auths: { [host]: { username: "ann", password, auth: base64(`ann:${password}`) } } });

credentialContract("a mounted secret that names its registry", {
  filled: async ({ host }) =>
    mountedSecretsSource({
      root: await mount({
        [`${auth}/registry`]: `${host}\n`,
        [`${auth}/username`]: "ann\n",
        [`${auth}/password`]: `${secret}\n`,
      }),
    }),
  empty: async () => mountedSecretsSource({ root: await mount({}) }),
  broken: {
    source: async () => mountedSecretsSource({ root: await mount({ [pullSecret]: `{"auths": "${secret}` }) }),
    message: /\.dockerconfigjson is not valid JSON: line 1, column \d+$/,
  },
});

credentialContract("a mounted secret whose registry is named", {
  filled: async ({ host }) =>
    mountedSecretsSource({ root: await mount({ [`${opaque}/token`]: secret }), registry: host }),
  empty: async () => mountedSecretsSource({ root: await mount({ [`${opaque}/token`]: secret }) }),
});

credentialContract("a mounted pull secret", {
  filled: async ({ host }) => mountedSecretsSource({ root: await mount({ [pullSecret]: config(host, secret) }) }),
  empty: async () => mountedSecretsSource({ root: await mount({ [pullSecret]: "{}" }) }),
});

describe("mounted secrets", () => {
  test.each([
    "var/run/secrets/registry",
    opaque,
    "run/secrets/registry",
    auth,
    "var/run/secrets/docker-registry",
    "var/run/secrets/registry-credentials",
  ])("are found in %s", async (folder) => {
    const root = await mount({
      [`${folder}/username`]: "ann",
      [`${folder}/password`]: "pw",
      [`${folder}/token`]: "abc",
    });
    expect(await mountedSecretsSource({ root, registry: "r.example" }).find("r.example", "app")).toMatchObject({
      username: "ann",
      origin: `${join(root, folder)}: username and password`,
    });
  });

  test("one that does not say for which registry is told of, and sent to none", async () => {
    const root = await mount({ [`${opaque}/username`]: "ann", [`${opaque}/password`]: "pw" });
    const warnings: string[] = [];
    const source = mountedSecretsSource({ root, onWarning: (text) => warnings.push(text) });
    expect(await source.find("r.example", "app")).toBeUndefined();
    expect(warnings).toEqual([
      `the login in ${join(root, opaque)} is not used: nothing says which registry it is for; add the file registry to it`,
    ]);
  });

  test("its own registry goes before the one that is named", async () => {
    const root = await mount({ [`${auth}/registry`]: "r.example/team", [`${auth}/token`]: "abc" });
    const source = mountedSecretsSource({ root, registry: "s.example" });
    expect(lineOf(await source.find("r.example", "team/app"))).toBe("bearer abc");
    expect(await source.find("r.example", "other")).toBeUndefined();
    expect(await source.find("s.example", "team/app")).toBeUndefined();
  });

  test("auth_file names a file of logins", async () => {
    const root = await mount({
      [`${auth}/registry`]: "r.example",
      [`${auth}/auth_file`]: "config.json",
      [`${auth}/config.json`]: config("r.example", "pw"),
    });
    expect(lineOf(await mountedSecretsSource({ root }).find("r.example", "app"))).toBe("basic ann:pw");
  });

  test("a user alone is no login, and a file in place of a folder is none", async () => {
    const root = await mount({
      [`${auth}/registry`]: "r.example",
      [`${auth}/username`]: "ann",
      "run/secrets/registry": "text",
    });
    expect(await mountedSecretsSource({ root, registry: "r.example" }).find("r.example", "app")).toBeUndefined();
  });

  test("pull secrets match by Kubernetes' rules, and are found where OSSB mounts them", async () => {
    const root = await mount({ "var/run/secrets/registry-secret/.dockerconfigjson": config("*.r.example", "pw") });
    expect(lineOf(await mountedSecretsSource({ root }).find("eu.r.example", "app"))).toBe("basic ann:pw");
  });
});
