import { describe, expect, test } from "vitest";
import type { Environment } from "../../src/auth/credential.ts";
import { dockerAuthConfigSource } from "../../src/auth/docker-auth-config.ts";
import { gantryVariablesSource, hostVariablesSource } from "../../src/auth/environment.ts";
import { apiHost } from "../../src/oci/reference.ts";
import { base64, credentialContract, lineOf, secret } from "../contract/credentials.ts";

const variable = (host: string): string => host.toUpperCase().replace(/[^A-Z0-9]/g, "_");

credentialContract("variables of a host", {
  filled: ({ host }) =>
    hostVariablesSource({ [`${variable(host)}_USERNAME`]: "ann", [`${variable(host)}_PASSWORD`]: secret }),
  empty: () => hostVariablesSource({}),
});

credentialContract("Gantry's variables", {
  filled: ({ host }) =>
    gantryVariablesSource({ GANTRY_REGISTRY: host, GANTRY_USERNAME: "ann", GANTRY_PASSWORD: secret }),
  empty: () => gantryVariablesSource({ GANTRY_REGISTRY: "registry.example:5000" }),
  broken: {
    source: () => gantryVariablesSource({ GANTRY_USERNAME: "ann", GANTRY_PASSWORD: secret }),
    message: /^GANTRY_USERNAME and GANTRY_PASSWORD set, but not the registry to log in to$/,
  },
});

credentialContract("DOCKER_AUTH_CONFIG", {
  filled: ({ host }) =>
    dockerAuthConfigSource({
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: { auth: base64(`ann:${secret}`) } } }),
    }),
  empty: () => dockerAuthConfigSource({}),
  broken: {
    source: () => dockerAuthConfigSource({ DOCKER_AUTH_CONFIG: `{"auths": {"r": "${secret}` }),
    message: /^DOCKER_AUTH_CONFIG is not valid JSON: line 1, column \d+$/,
  },
});

describe("the variables of a host", () => {
  const find = async (env: Environment, host: string, path = ""): Promise<string> =>
    lineOf(await hostVariablesSource(env).find(host, path));

  test.each<[string, Environment, string, string, string]>([
    ["user and password", { R_EXAMPLE_USERNAME: "ann", R_EXAMPLE_PASSWORD: "pw" }, "r.example", "", "basic ann:pw"],
    ["a token is used as it is", { R_EXAMPLE_TOKEN: "abc" }, "r.example", "app", "bearer abc"],
    [
      "a user's token is his password",
      { R_EXAMPLE_USERNAME: "ann", R_EXAMPLE_TOKEN: "abc" },
      "r.example",
      "",
      "basic ann:abc",
    ],
    [
      "the password goes before the token",
      { R_EXAMPLE_USERNAME: "ann", R_EXAMPLE_PASSWORD: "pw", R_EXAMPLE_TOKEN: "abc" },
      "r.example",
      "",
      "basic ann:pw",
    ],
    [
      "an identity token",
      { R_EXAMPLE_USERNAME: "<token>", R_EXAMPLE_PASSWORD: "abc" },
      "r.example",
      "",
      "identity abc",
    ],
    [
      "empty is not set",
      { R_EXAMPLE_USERNAME: "", R_EXAMPLE_PASSWORD: "pw", R_EXAMPLE_TOKEN: "" },
      "r.example",
      "",
      "none",
    ],
    ["a port", { LOCALHOST_5000_TOKEN: "abc" }, "localhost:5000", "", "bearer abc"],
    ["a port as OSSB has it", { "LOCALHOST:5000_TOKEN": "abc" }, "localhost:5000", "", "bearer abc"],
    ["a hyphen", { MY_REGISTRY_EXAMPLE_TOKEN: "abc" }, "my-registry.example", "", "bearer abc"],
    ["an address", { "127_0_0_1_5000_TOKEN": "abc" }, "127.0.0.1:5000", "", "bearer abc"],
    ["an address, in a shell", { _127_0_0_1_5000_TOKEN: "abc" }, "127.0.0.1:5000", "", "bearer abc"],
    ["IPv6", { ___1__5000_TOKEN: "abc" }, "[::1]:5000", "", "bearer abc"],
    [
      "Docker Hub, by its name in references",
      { DOCKER_IO_TOKEN: "abc" },
      apiHost("docker.io"),
      "library/alpine",
      "bearer abc",
    ],
  ])("%s", async (_, env, host, path, expected) => {
    expect(await find(env, host, path)).toBe(expected);
  });

  test("the longest path wins", async () => {
    const env = {
      GHCR_IO_TOKEN: "host",
      GHCR_IO_ACME_TOKEN: "team",
      GHCR_IO_ACME_APP_USERNAME: "ann",
      GHCR_IO_ACME_APP_PASSWORD: "repository",
    };
    expect(await find(env, "ghcr.io", "acme/app")).toBe("basic ann:repository");
    expect(await find(env, "ghcr.io", "acme/other")).toBe("bearer team");
    expect(await find(env, "ghcr.io", "acmes/app")).toBe("bearer host");
    expect(await find(env, "ghcr.io", "")).toBe("bearer host");
  });

  test("half a login is told of, and is none", async () => {
    const warnings: string[] = [];
    const source = hostVariablesSource({ R_EXAMPLE_PASSWORD: "s3cret" }, (text, host) =>
      warnings.push(`${host}: ${text}`),
    );
    expect(await source.find("r.example", "")).toBeUndefined();
    expect(warnings).toEqual(["r.example: R_EXAMPLE_PASSWORD is set, but is no whole login alone"]);
  });

  test("the origin names the variables", async () => {
    const source = hostVariablesSource({ R_EXAMPLE_USERNAME: "ann", R_EXAMPLE_PASSWORD: "pw" });
    expect(await source.find("r.example", "a/b")).toMatchObject({
      origin: "R_EXAMPLE_USERNAME and R_EXAMPLE_PASSWORD",
    });
  });
});

describe("Gantry's variables", () => {
  test.each<[Environment, string]>([
    [{ GANTRY_TOKEN: "abc" }, "bearer abc"],
    [{ GANTRY_USERNAME: "ann", GANTRY_TOKEN: "abc" }, "basic ann:abc"],
  ])("%j", async (env, expected) => {
    const source = gantryVariablesSource({ ...env, GANTRY_REGISTRY: "https://R.example/" });
    expect(lineOf(await source.find("r.example", ""))).toBe(expected);
  });

  test("may be for a part of a registry", async () => {
    const source = gantryVariablesSource({ GANTRY_REGISTRY: "r.example/team", GANTRY_TOKEN: "abc" });
    expect(lineOf(await source.find("r.example", "team/app"))).toBe("bearer abc");
    expect(await source.find("r.example", "teams/app")).toBeUndefined();
    expect(await source.find("r.example", "")).toBeUndefined();
  });

  test("half a login is INVALID", async () => {
    const source = gantryVariablesSource({ GANTRY_REGISTRY: "r.example", GANTRY_PASSWORD: "s3cret" });
    await expect(source.find("other.example", "")).rejects.toMatchObject({
      code: "INVALID",
      message: "GANTRY_PASSWORD set, but no whole login",
    });
  });
});

describe("DOCKER_AUTH_CONFIG", () => {
  test("what Docker does not read of it is told of, and not used", async () => {
    const warnings: string[] = [];
    const config = {
      auths: { "r.example": { auth: base64("ann:pw") } },
      credHelpers: { "r.example": "x" },
      credsStore: "y",
    };
    const source = dockerAuthConfigSource({ DOCKER_AUTH_CONFIG: JSON.stringify(config) }, (text) =>
      warnings.push(text),
    );
    expect(lineOf(await source.find("r.example", ""))).toBe("basic ann:pw");
    expect(warnings).toEqual(["of DOCKER_AUTH_CONFIG only auths is read, not credHelpers, credsStore"]);
  });

  test.each([
    ["[]", "DOCKER_AUTH_CONFIG is not a JSON object"],
    ['{"auths": []}', "DOCKER_AUTH_CONFIG: auths is not an object"],
    [
      '{"auths": {"r.example": {"auth": "!s3cret"}}}',
      'DOCKER_AUTH_CONFIG: auths["r.example"].auth is not USER:PASSWORD in base64',
    ],
  ])("%s is INVALID", async (text, message) => {
    const source = dockerAuthConfigSource({ DOCKER_AUTH_CONFIG: text });
    await expect(source.find("r.example", "")).rejects.toMatchObject({ code: "INVALID", message });
  });
});
