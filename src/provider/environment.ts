import type { ServiceVariables } from "../auth/environment.ts";

/** Variables that are there to log in to a registry. */
export const registryVariables: readonly ServiceVariables[] = [
  {
    host: "docker.io",
    user: { variable: "DOCKER_USERNAME" },
    passwords: ["DOCKER_PASSWORD", "DOCKER_TOKEN"],
    token: "DOCKER_TOKEN",
  },
  { host: "docker.io", user: { variable: "DOCKERHUB_USERNAME" }, passwords: ["DOCKERHUB_TOKEN", "DOCKERHUB_PASSWORD"] },
  {
    host: { variable: "CI_REGISTRY" },
    user: { variable: "CI_REGISTRY_USER" },
    passwords: ["CI_REGISTRY_PASSWORD"],
  },
  { host: { variable: "CI_REGISTRY" }, user: { variable: "CI_DEPLOY_USER" }, passwords: ["CI_DEPLOY_PASSWORD"] },
  {
    host: { variable: "CI_DEPENDENCY_PROXY_SERVER" },
    user: { variable: "CI_DEPENDENCY_PROXY_USER" },
    passwords: ["CI_DEPENDENCY_PROXY_PASSWORD"],
  },
  {
    host: { variable: "HARBOR_URL" },
    user: { variable: "HARBOR_USERNAME" },
    passwords: ["HARBOR_PASSWORD"],
  },
];

/** Variables that are there for a service's API, whose registry takes them too; they may lack the rights for it. */
export const apiVariables: readonly ServiceVariables[] = [
  {
    host: "ghcr.io",
    user: { variable: "GITHUB_ACTOR", otherwise: "gantry" },
    passwords: ["GITHUB_TOKEN", "GH_TOKEN"],
  },
  { host: { variable: "CI_REGISTRY" }, user: { otherwise: "gitlab-ci-token" }, passwords: ["CI_JOB_TOKEN"] },
  { host: "quay.io", user: { otherwise: "$oauthtoken" }, passwords: ["QUAY_OAUTH_TOKEN"] },
];
