import { describe, expect, test } from "vitest";
import { Secret } from "../../src/auth/secret.ts";
import type { Credential } from "../../src/auth/credential.ts";
import { streamOf } from "../../src/oci/stream.ts";
import { acr } from "../../src/provider/acr/provider.ts";
import { artifactRegistry } from "../../src/provider/artifact-registry/provider.ts";
import { dockerHub } from "../../src/provider/dockerhub/provider.ts";
import { ghcr } from "../../src/provider/ghcr/provider.ts";
import { gitlab } from "../../src/provider/gitlab/provider.ts";
import { harbor } from "../../src/provider/harbor/provider.ts";
import type { Provider } from "../../src/provider/provider.ts";
import { quay } from "../../src/provider/quay/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { serviceContext } from "./support.ts";

const user = (username: string): Credential => ({ kind: "basic", username, password: new Secret("pw") });

/** A service whose every answer is that which `answer` gives. */
async function connected(
  [provider, host, username]: readonly [Provider, string, string],
  answer: (url: URL) => unknown,
): Promise<{ readonly service: ServiceRegistry; readonly asked: string[] }> {
  const asked: string[] = [];
  const transport: Transport = async ({ method, url }) => {
    asked.push(`${method} ${url.pathname}`);
    const body = Buffer.from(JSON.stringify(answer(url)));
    return { status: 200, headers: { "content-type": "application/json" }, body: streamOf(body) };
  };
  const context = serviceContext(host, { transport, credential: user(username) });
  return { service: await provider.connect(context), asked };
}

const google = [artifactRegistry, "us-docker.pkg.dev", "oauth2accesstoken"] as const;
const services: readonly (readonly [Provider, string, string])[] = [
  [acr, "contoso.azurecr.io", "u"],
  google,
  [dockerHub, "docker.io", "u"],
  [ghcr, "ghcr.io", "u"],
  [gitlab, "registry.gitlab.com", "u"],
  [harbor, "harbor.example", "u"],
  [quay, "quay.io", "$oauthtoken"],
];

const named = services.map((which) => [which[0].name, which] as const);

/** What a list of GitLab's repositories and tokens of Docker Hub need; else an object that says nothing. */
const nonsense = ({ pathname }: URL): unknown => {
  if (pathname.endsWith("/registry/repositories")) return [{ id: 1, path: "team/app/x" }];
  return pathname === "/v2/auth/token" ? { access_token: "token" } : {};
};

describe("deleting without force, where answers are nonsense, deletes nothing", () => {
  test.each(named)("%s", async (name, which) => {
    const answer = name === "artifact-registry" ? (): unknown => [] : nonsense;
    const { service, asked } = await connected(which, answer);
    const path = name === "dockerhub" || name === "artifact-registry" ? "team/app" : "team/app/x";
    await expect(service.deleteRepository(path)).rejects.toMatchObject({ name: "RegistryError" });
    expect(asked.filter((one) => one.startsWith("DELETE"))).toEqual([]);
  });
});

describe("a name that stands for what is above it deletes nothing", () => {
  test.each(named)("%s", async (name, which) => {
    const { service, asked } = await connected(which, nonsense);
    const path = name === "dockerhub" ? "team/app" : "team/app/x";
    for (const tag of ["..", ".", "", "a/../.."]) {
      if (name === "ghcr" || name === "quay" || name === "artifact-registry") break; // Those go by the distribution API, or by none.
      await expect(service.deleteTag(path, tag)).rejects.toMatchObject({ name: "RegistryError" });
    }
    for (const repository of ["team/..", "team/app/..", "../team", "team/app/../.."]) {
      await expect(service.deleteRepository(repository, { force: true })).rejects.toMatchObject({
        name: "RegistryError",
      });
    }
    expect(asked.filter((one) => one.startsWith("DELETE"))).toEqual([]);
  });
});

test("a repository of Google's of which one page is empty is not taken for an empty one", async () => {
  let pages = 0;
  const { service, asked } = await connected(google, ({ pathname }) => {
    if (!pathname.endsWith("/packages")) return { format: "DOCKER" };
    return pages++ === 0 ? { packages: [], nextPageToken: "2" } : { packages: [{ name: "a" }] };
  });
  await expect(service.deleteRepository("project/images")).rejects.toMatchObject({ code: "CONFLICT" });
  expect(asked.filter((one) => one.startsWith("DELETE"))).toEqual([]);
});

test("who gives up leaves the login that others wait for alone", async () => {
  let answerLogin = (): void => {};
  let isAsked = false;
  const transport: Transport = async ({ url, signal }) => {
    const isLogin = url.pathname === "/v2/auth/token";
    if (isLogin) {
      await new Promise<void>((resolve, reject) => {
        answerLogin = resolve;
        isAsked = true;
        signal?.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
      });
    }
    const body = isLogin ? { access_token: "token" } : { results: [{ namespace: "team", name: "app" }] };
    return { status: 200, headers: {}, body: streamOf(Buffer.from(JSON.stringify(body))) };
  };
  const service = await dockerHub.connect(serviceContext("docker.io", { transport, credential: user("u") }));
  const stop = new AbortController();
  const first = Array.fromAsync(service.listRepositories("team/", { signal: stop.signal }));
  const second = Array.fromAsync(service.listRepositories("team/"));
  const failure = first.catch((error: unknown) => error);
  await expect.poll(() => isAsked).toBe(true);
  stop.abort();
  expect(await failure).toMatchObject({ code: "ABORTED" });
  answerLogin();
  expect((await second).map(({ name }) => name)).toEqual(["team/app"]);
});

test("Harbor's pages that say the same again end", async () => {
  const page = Array.from({ length: 100 }, (_, index) => ({ name: `team/app${index}` }));
  let asked = 0;
  const transport: Transport = async () => {
    if (++asked > 50) throw new Error("it goes on");
    const headers = { "x-total-count": "900000000000" };
    return { status: 200, headers, body: streamOf(Buffer.from(JSON.stringify(page))) };
  };
  const service = await harbor.connect(serviceContext("harbor.example", { transport }));
  expect(await Array.fromAsync(service.listRepositories("team/"))).toHaveLength(100);
});

test("Quay's name of a user is shown without control characters", async () => {
  const { service } = await connected([quay, "quay.io", "$oauthtoken"], () => ({
    username: "ann\u001b[31m",
    quota_report: { quota_bytes: 1 },
  }));
  expect(await service.allowances()).toMatchObject([{ what: "storage of ann [31m" }]);
});

test("neither a digest is taken for a tag nor a tag for a digest by the distribution API", async () => {
  const { service, asked } = await connected([quay, "quay.io", "$oauthtoken"], () => ({}));
  const digest = `sha256:${"a".repeat(64)}` as const;
  const store = service.repository("team/app");
  await expect(store.deleteTag(digest)).rejects.toMatchObject({ code: "INVALID" });
  await expect(service.deleteTag("team/app", digest)).rejects.toMatchObject({ code: "INVALID" });
  await expect(store.deleteManifest("latest" as never)).rejects.toMatchObject({ code: "INVALID" });
  expect(asked).toEqual([]);
});

test("what Harbor tells of replication and of times is fit to be shown", async () => {
  const policy = {
    id: 1,
    name: "to\u202e us",
    filters: [{ type: "name", value: ["lib/\u001b[31m**", ""] }],
    creation_time: "1",
  };
  const { service } = await connected([harbor, "harbor.example", "u"], () => [policy]);
  const [rule] = await Array.fromAsync(service.replication());
  expect(rule).toMatchObject({ name: "to us", filter: "name lib/ [31m**" });
  const repository = { id: 1, name: "team/app", creation_time: "1", update_time: "+275000-01-01T00:00:00Z" };
  const other = await connected([harbor, "harbor.example", "u"], () => [repository]);
  expect(await Array.fromAsync(other.service.listRepositories("team/"))).toEqual([{ name: "team/app" }]);
});
