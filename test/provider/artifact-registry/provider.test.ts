import { describe, expect, test } from "vitest";
import { Secret } from "../../../src/auth/secret.ts";
import { locationOf, parsePlace, resourceOf } from "../../../src/provider/artifact-registry/place.ts";
import { artifactRegistry } from "../../../src/provider/artifact-registry/provider.ts";
import { providerContract } from "../../contract/provider.ts";
import { silent } from "../support.ts";

const host = "us-docker.pkg.dev";
const challenge = (name: string): { readonly host: string; readonly header: string } => ({
  host: name,
  header: `Bearer realm="https://${name}/v2/token",service="${name}"`,
});

providerContract({
  provider: artifactRegistry,
  hosts: [
    host,
    "europe-docker.pkg.dev",
    "northamerica-northeast1-docker.pkg.dev",
    "docker.me-central2.rep.pkg.dev",
    "docker.pkg.dev",
    "gcr.io",
    "eu.gcr.io",
    "asia.gcr.io:443",
  ],
  lookAlikes: [
    "k8s.gcr.io",
    "registry.k8s.io",
    "mirror.gcr.io",
    "us-npm.pkg.dev",
    "us-dockerxpkg.dev",
    "us-docker.pkg.dev.",
    "docker.us.rep.pkg.dev",
    "gcr.io:8443",
    "gcrxio",
  ],
  challenges: [host, "docker.us-east1.rep.pkg.dev", "gcr.io", "eu.gcr.io"].map(challenge),
  silent: silent(artifactRegistry, host, {
    kind: "basic",
    username: "oauth2accesstoken",
    password: new Secret("token"),
  }),
});

describe("a place", () => {
  test.each([
    [host, "p/r/team/app", { project: "p", location: "us", repository: "r", image: "team/app" }],
    [host, "p/r", { project: "p", location: "us", repository: "r" }],
    [host, "example.com/p/r/app", { project: "example.com:p", location: "us", repository: "r", image: "app" }],
    ["docker.us-east1.rep.pkg.dev", "p/r", { project: "p", location: "us-east1", repository: "r" }],
    ["gcr.io", "p/team/app", { project: "p", location: "us", repository: "gcr.io", image: "team/app" }],
    [
      "eu.gcr.io",
      "example.com/p/app",
      { project: "example.com:p", location: "europe", repository: "eu.gcr.io", image: "app" },
    ],
  ])("is what %s/%s names", (name, path, place) => {
    expect(parsePlace(name, path)).toEqual(place);
  });

  test.each([
    [host, "p", "give us-docker.pkg.dev/PROJECT/REPOSITORY[/IMAGE]"],
    [host, "example.com/p", "give us-docker.pkg.dev/PROJECT/REPOSITORY[/IMAGE]"],
    ["gcr.io", "p", "give gcr.io/PROJECT/IMAGE"],
    ["docker.pkg.dev", "p/r", "name the registry by its own host, LOCATION-docker.pkg.dev"],
  ])("is not what %s/%s names, and what does is told", (name, path, hint) => {
    expect(() => parsePlace(name, path)).toThrow(expect.objectContaining({ code: "INVALID", hint }));
  });

  test("is escaped as the API wants it", () => {
    expect(resourceOf(parsePlace(host, "example.com/p/r"))).toBe(
      "projects/example.com%3Ap/locations/us/repositories/r",
    );
  });

  test("has a location by its host alone", () => {
    expect(["gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io", host, "docker.pkg.dev"].map(locationOf)).toEqual([
      "us",
      "us",
      "europe",
      "asia",
      "us",
      undefined,
    ]);
  });
});
