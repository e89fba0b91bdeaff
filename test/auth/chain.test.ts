import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { credentialChain, type ChainOptions } from "../../src/auth/chain.ts";
import { firstOf } from "../../src/auth/credential.ts";
import { apiVariables, registryVariables } from "../../src/provider/environment.ts";
import { base64, lineOf } from "../contract/credentials.ts";
import { keepingHelper, programs } from "../support/programs.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { kubeconfig, kubernetes, secretObject, serviceAccount } from "./kubernetes.ts";

const host = "registry.example";
const auths = (user: string): string => JSON.stringify({ auths: { [host]: { auth: base64(`${user}:pw`) } } });

/** All there is for the host, each with a user of its own; `below` is where all files are. */
async function everything(): Promise<{
  below: string;
  env: Record<string, string>;
  options: ChainOptions;
  asked: readonly string[];
}> {
  const below = await temporaryDirectory();
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(join(below, name)), { recursive: true });
    await writeFile(join(below, name), text, { mode: 0o600 });
  };
  await write("named.json", auths("named"));
  await write(
    "home/.ossb/registry.json",
    JSON.stringify({ registries: { [host]: { username: "ossb", password: "pw" } } }),
  );
  await write("home/.config/gantry/auth.json", auths("own"));
  await write("runtime/containers/auth.json", auths("runtime"));
  await write("run/containers/1000/auth.json", auths("run"));
  await write("home/.config/containers/auth.json", auths("podman"));
  await write("home/.docker/config.json", auths("docker"));
  await write("own/config.json", auths("docker-config"));
  await write("home/.dockercfg", JSON.stringify({ [host]: { auth: base64("dockercfg:pw") } }));
  await write("home/.netrc", `machine ${host} login netrc password pw\n`);
  await write("etc/registry-secrets/registry", host);
  await write("etc/registry-secrets/username", "mounted");
  await write("etc/registry-secrets/password", "pw");
  for (const name of ["first", "last"])
    await write(`store/${name}/registry_example`, JSON.stringify({ Username: name, Secret: "pw" }));
  const { url, requests } = await kubernetes({
    ...serviceAccount("team", "default", "one"),
    ...secretObject("team", "one", "kubernetes.io/dockerconfigjson", { ".dockerconfigjson": auths("pull-secret") }),
  });
  const helper = (name: string): string => `STORE='${join(below, "store", name)}'\n${keepingHelper}`;
  const { PATH } = await programs({
    "docker-credential-first": helper("first"),
    "docker-credential-last": helper("last"),
  });
  const env: Record<string, string> = {
    PATH,
    XDG_RUNTIME_DIR: join(below, "runtime"),
    REGISTRY_AUTH_FILE: join(below, "named.json"),
    DOCKER_AUTH_CONFIG: auths("docker-auth-config"),
    GANTRY_REGISTRY: host,
    GANTRY_USERNAME: "gantry",
    GANTRY_PASSWORD: "pw",
    REGISTRY_EXAMPLE_USERNAME: "host",
    REGISTRY_EXAMPLE_PASSWORD: "pw",
    CI_REGISTRY: host,
    CI_REGISTRY_USER: "gitlab",
    CI_REGISTRY_PASSWORD: "pw",
    CI_JOB_TOKEN: "pw",
  };
  const options: ChainOptions = {
    env,
    home: join(below, "home"),
    root: below,
    uid: 1000,
    config: { logins: { [host]: { username: "config", password: "pw" } }, origin: "gantry.yaml: registries" },
    services: { registry: registryVariables, api: apiVariables },
    credentialHelpers: async () => ({
      names: ["first", "containers-auth.json", "last"],
      origin: "registries.conf: credential-helpers",
    }),
    kubernetes: { pullSecrets: { kubeconfig: await kubeconfig(url) } },
  };
  return { below, env, options, asked: requests };
}

/** The users whose logins are found, in the order of the chain. */
async function order(options: ChainOptions): Promise<(string | undefined)[]> {
  const found = await Promise.all(credentialChain(options).map((source) => source.find(host, "team/app")));
  return found.flatMap((credential) => (credential?.kind === "basic" ? credential.username : []));
}

describe("the order", () => {
  test("with a file that was named for this run", async () => {
    const { options } = await everything();
    expect(await order(options)).toEqual([
      "named",
      "docker-auth-config",
      "gantry",
      "host",
      "gitlab",
      "config",
      "ossb",
      "first",
      "own",
      "last",
      "gitlab-ci-token",
      "netrc",
      "mounted",
      "pull-secret",
    ]);
  });

  test("with the files of Podman and Docker", async () => {
    const { options, env } = await everything();
    delete env["REGISTRY_AUTH_FILE"];
    const files = ["first", "own", "runtime", "run", "podman", "docker", "dockercfg", "last", "gitlab-ci-token"];
    expect((await order(options)).slice(6, 15)).toEqual(files);
    expect((await order({ ...options, authFile: join(options.home, ".docker/config.json") }))[0]).toBe("docker");
  });

  test("DOCKER_CONFIG replaces all of them, as for Docker and Podman; XDG_CONFIG_HOME moves Podman's", async () => {
    const { below, options, env } = await everything();
    delete env["REGISTRY_AUTH_FILE"];
    env["XDG_CONFIG_HOME"] = join(below, "none");
    expect((await order(options)).slice(6, 11)).toEqual(["first", "runtime", "run", "docker", "dockercfg"]);
    env["DOCKER_CONFIG"] = join(below, "own");
    expect((await order(options)).slice(6, 9)).toEqual(["first", "docker-config", "last"]);
  });
});

describe("the chain", () => {
  test("asks no helper and no API for a host that an earlier place answered", async () => {
    const { below, options, env, asked } = await everything();
    delete env["REGISTRY_AUTH_FILE"];
    expect(lineOf(await firstOf(...credentialChain(options)).find(host, "team/app"))).toBe(
      "basic docker-auth-config:pw",
    );
    await expect(readFile(join(below, "store/first/CALLS"))).rejects.toThrow("ENOENT");
    expect(asked).toEqual([]);
    for (const name of Object.keys(env)) if (!["PATH", "XDG_RUNTIME_DIR"].includes(name)) delete env[name];
    const { config: _, ...rest } = options;
    const files = { ...rest, home: join(below, "nobody"), credentialHelpers: async () => undefined };
    expect(lineOf(await firstOf(...credentialChain(files)).find(host, "team/app"))).toBe("basic runtime:pw");
    expect(asked).toEqual([]);
  });

  test("gives nothing to any other host, and says of all where it is from", async () => {
    const { options } = await everything();
    for (const other of [
      "registry.example.evil.test",
      "evil.registry.example",
      "registry.example:5000",
      "registry-1.docker.io",
    ]) {
      const chain = credentialChain(options).filter(({ name }) => !/netrc/.test(name) || !other.endsWith(":5000"));
      for (const source of chain)
        expect([source.name, other, await source.find(other, "team/app")]).toEqual([source.name, other, undefined]);
    }
    const found = await Promise.all(credentialChain(options).map((source) => source.find(host, "")));
    const credentials = found.filter((credential) => credential !== undefined);
    expect(credentials).toHaveLength(14);
    for (const { origin } of credentials) expect(origin).toMatch(/\S/);
  });

  test("has a name for each place, and finds nothing where nothing is", async () => {
    const { options } = await everything();
    const names = credentialChain(options).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(await order({ env: {}, home: "/no/such/home", root: "/no/such/root" })).toEqual([]);
  });

  test("wants the file of an option to be there, not that of a variable", async () => {
    const none = { env: { REGISTRY_AUTH_FILE: "/no/such/file" }, home: "/no/such/home", root: "/no/such/root" };
    expect(await order(none)).toEqual([]);
    await expect(order({ ...none, authFile: "/no/such/file" })).rejects.toMatchObject({
      code: "INVALID",
      message: "/no/such/file is not there",
    });
  });

  test("says each warning once", async () => {
    const { below, options } = await everything();
    const warnings: string[] = [];
    const file = join(below, "open.json");
    await writeFile(file, auths("open"), { mode: 0o644 });
    const chain = firstOf(...credentialChain({ ...options, authFile: file, onWarning: (text) => warnings.push(text) }));
    await chain.find(host, "a");
    await chain.find(host, "b");
    expect(warnings).toHaveLength(1);
  });
});
