import { describe, expect, test } from "vitest";
import type { Environment } from "../../src/auth/credential.ts";
import { serviceVariablesSource } from "../../src/auth/environment.ts";
import { apiHost } from "../../src/oci/reference.ts";
import { apiVariables, registryVariables } from "../../src/provider/environment.ts";
import { credentialContract, lineOf, secret } from "../contract/credentials.ts";

credentialContract("variables of services", {
  filled: ({ host }) =>
    serviceVariablesSource(
      { CI_REGISTRY: host, CI_REGISTRY_USER: "ann", CI_REGISTRY_PASSWORD: secret },
      registryVariables,
    ),
  empty: () => serviceVariablesSource({ CI_REGISTRY: "registry.example:5000" }, registryVariables),
});

const dockerHub = apiHost("docker.io");
const all = [...registryVariables, ...apiVariables];
const find = async (env: Environment, host: string): Promise<string> =>
  lineOf(await serviceVariablesSource(env, all).find(host, "acme/app"));

describe("a service's variables are for its registry", () => {
  const gitlab = { CI_REGISTRY: "registry.gitlab.example:5050", CI_DEPENDENCY_PROXY_SERVER: "gitlab.example:443" };

  test.each<[string, Environment, string]>([
    [dockerHub, { DOCKER_USERNAME: "ann", DOCKER_PASSWORD: "pw" }, "basic ann:pw"],
    [dockerHub, { DOCKER_USERNAME: "ann", DOCKER_TOKEN: "pat" }, "basic ann:pat"],
    [dockerHub, { DOCKER_TOKEN: "jwt" }, "bearer jwt"],
    [dockerHub, { DOCKER_USERNAME: "ann" }, "none"],
    [dockerHub, { DOCKER_PASSWORD: "pw" }, "none"],
    [dockerHub, { DOCKERHUB_USERNAME: "ann", DOCKERHUB_TOKEN: "pat" }, "basic ann:pat"],
    [dockerHub, { DOCKERHUB_TOKEN: "pat" }, "none"],
    [dockerHub, { DOCKER_USERNAME: "ann", DOCKERHUB_USERNAME: "bob", DOCKERHUB_PASSWORD: "pw" }, "basic bob:pw"],
    ["quay.io", { QUAY_OAUTH_TOKEN: "oauth" }, "basic $oauthtoken:oauth"],
    ["ghcr.io", { GITHUB_TOKEN: "ghs", GH_TOKEN: "ghp", GITHUB_ACTOR: "ann" }, "basic ann:ghs"],
    ["ghcr.io", { GH_TOKEN: "ghp" }, "basic gantry:ghp"],
    [gitlab.CI_REGISTRY, { ...gitlab, CI_REGISTRY_USER: "u", CI_REGISTRY_PASSWORD: "pw" }, "basic u:pw"],
    [gitlab.CI_REGISTRY, { ...gitlab, CI_JOB_TOKEN: "job" }, "basic gitlab-ci-token:job"],
    ["gitlab.example", { ...gitlab, CI_DEPENDENCY_PROXY_USER: "u", CI_DEPENDENCY_PROXY_PASSWORD: "pw" }, "basic u:pw"],
  ])("%s with %j", async (host, env, expected) => {
    expect(await find(env, host)).toBe(expected);
  });

  test("and for nobody else's, however alike", async () => {
    const env = {
      ...gitlab,
      DOCKER_USERNAME: "ann",
      DOCKER_PASSWORD: "pw",
      DOCKERHUB_USERNAME: "ann",
      DOCKERHUB_TOKEN: "pat",
      QUAY_OAUTH_TOKEN: "oauth",
      GITHUB_TOKEN: "ghs",
      CI_REGISTRY_USER: "u",
      CI_REGISTRY_PASSWORD: "pw",
      CI_JOB_TOKEN: "job",
    };
    for (const host of [
      "docker.io.evil.test",
      "evil-docker.io",
      "registry-1.docker.io:8443",
      "hub.docker.io",
      "quay.io.evil.test",
      "quay.io:8443",
      "ghcr.io.evil.test",
      "ghcr.io:8443",
      "xghcr.io",
      "docker.ghcr.io",
      "registry.gitlab.example",
      "registry.gitlab.example:5051",
      "evil.registry.gitlab.example:5050",
      "gitlab.example:444",
      "registry.example",
    ]) {
      expect([host, await find(env, host)]).toEqual([host, "none"]);
    }
  });

  test("the origin names those that are set", async () => {
    const source = serviceVariablesSource({ GH_TOKEN: "ghp" }, all);
    expect(await source.find("ghcr.io", "")).toMatchObject({ origin: "GH_TOKEN" });
  });
});
