import { expect, test } from "vitest";
import { parseChallenges } from "../../src/auth/challenge.ts";
import { identify } from "../../src/provider/identify.ts";

test.each([
  ["registry-1.docker.io", 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"', "Docker Hub"],
  [
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    'Basic realm="https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"',
    "Amazon ECR",
  ],
  [
    "public.ecr.aws",
    'Bearer realm="https://public.ecr.aws/token",service="public.ecr.aws",scope="aws"',
    "Amazon ECR Public",
  ],
  [
    "ghcr.io",
    'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"',
    "GitHub Packages",
  ],
  [
    "acme.azurecr.io",
    'Bearer realm="https://acme.azurecr.io/oauth2/token",service="acme.azurecr.io"',
    "Azure Container Registry",
  ],
  [
    "europe-docker.pkg.dev",
    'Bearer realm="https://europe-docker.pkg.dev/v2/token",service="europe-docker.pkg.dev"',
    "Google Artifact Registry",
  ],
  ["gcr.io", 'Bearer realm="https://gcr.io/v2/token",service="gcr.io"', "Google Artifact Registry"],
  ["registry.gitlab.com", 'Bearer realm="https://gitlab.com/jwt/auth",service="container_registry"', "GitLab"],
  [
    "codeberg.org",
    'Bearer realm="https://codeberg.org/v2/token",service="container_registry",scope="*", Basic realm="Gitea Container Registry"',
    "Forgejo or Gitea",
  ],
  ["harbor.example", 'Bearer realm="https://harbor.example/service/token",service="harbor-registry"', "Harbor"],
  ["quay.io", 'Bearer realm="https://quay.io/v2/auth",service="quay.io"', "Quay"],
  ["acme.jfrog.io", 'Basic realm="Artifactory Realm"', "Artifactory"],
  ["127.0.0.1:5000", 'Bearer realm="http://127.0.0.1:5000/token",service="127.0.0.1:5000"', undefined],
  ["registry.example", 'Basic realm="Registry"', undefined],
  ["registry.example", 'Bearer realm="https://auth.docker.io.evil.example/token"', undefined],
  ["registry.example", "", undefined],
])("%s by %s", (host, header, name) => {
  expect(identify(host, parseChallenges(header))?.name).toBe(name);
});

test("Gantry's own registry by its header", () => {
  expect(identify("registry.example", [], { "gantry-extension": "1" })).toMatchObject({ name: "Gantry" });
});
