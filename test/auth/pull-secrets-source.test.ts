import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, test, vi } from "vitest";
import type { CredentialSource } from "../../src/auth/credential.ts";
import {
  pullSecretsSource,
  type PullSecretOptions,
  type PullSecretSettings,
} from "../../src/auth/pull-secrets-source.ts";
import { base64, credentialContract, lineOf, secret } from "../contract/credentials.ts";
import { instantClock } from "../support/instant-clock.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { kubeconfig, kubernetes, pod, secretObject, serviceAccount, type Objects } from "./kubernetes.ts";

const home = "/no/such/home";
const type = "kubernetes.io/dockerconfigjson";
const auths = (host: string, user: string, password = "pw"): string =>
  JSON.stringify({ auths: { [host]: { auth: base64(`${user}:${password}`) } } });
const pullSecret = (name: string, host: string, user: string, password = "pw"): Objects =>
  secretObject("team", name, type, { ".dockerconfigjson": auths(host, user, password) });

/** A source over an API with these objects, and what was asked of it. */
async function source(
  objects: Objects,
  settings: PullSecretSettings = {},
  options: Partial<PullSecretOptions> = {},
): Promise<CredentialSource & { requests: readonly string[]; url: URL }> {
  const { url, requests } = await kubernetes(objects);
  const file = await kubeconfig(url);
  return { ...pullSecretsSource({ kubeconfig: file, ...settings }, { env: {}, home, ...options }), requests, url };
}

credentialContract("pull secrets of Kubernetes", {
  filled: ({ host }) =>
    source({ ...serviceAccount("team", "default", "one"), ...pullSecret("one", host, "ann", secret) }),
  empty: () => source(serviceAccount("team", "default")),
  broken: {
    source: () =>
      source({
        ...serviceAccount("team", "default", "one"),
        ...secretObject("team", "one", type, { ".dockerconfigjson": `{"${secret}` }),
      }),
    message: /^the secret team\/one is not valid JSON: line 1, column \d+$/,
  },
});

describe("pull secrets", () => {
  test("those that are named go before the service account's, and each is asked for once a minute", async () => {
    let now = 0;
    const one = await source(
      {
        ...serviceAccount("team", "builder", "theirs", "named"),
        ...pullSecret("named", "r.example", "named"),
        ...pullSecret("theirs", "*.example", "theirs"),
      },
      { serviceAccount: "builder", imagePullSecrets: ["named"] },
      { clock: { ...instantClock(), now: () => now } },
    );
    const found = await Promise.all([
      one.find("r.example", "app"),
      one.find("s.example", "app"),
      one.find("r.test", ""),
    ]);
    expect(found.map(lineOf)).toEqual(["basic named:pw", "basic theirs:pw", "none"]);
    expect(found[0]).toMatchObject({ origin: 'the secret team/named: auths["r.example"]' });
    expect(one.requests).toEqual(["team/serviceaccounts/builder", "team/secrets/named", "team/secrets/theirs"]);
    now += 61_000;
    await one.find("r.example", "app");
    expect(one.requests).toHaveLength(6);
  });

  test("of the old type are a bare map; those of other types and those that are not there are told of", async () => {
    const warnings: string[] = [];
    const one = await source(
      {
        ...serviceAccount("team", "default", "gone", "opaque", "old"),
        ...secretObject("team", "opaque", "Opaque", { username: "ann", password: "s3cret" }),
        ...secretObject("team", "old", "kubernetes.io/dockercfg", {
          ".dockercfg": JSON.stringify({ "r.example": { auth: base64("ann:pw") } }),
        }),
      },
      {},
      { onWarning: (text) => warnings.push(text) },
    );
    expect(lineOf(await one.find("r.example", "app"))).toBe("basic ann:pw");
    expect(warnings).toEqual([
      "the secret team/gone is not used: it is not there",
      "the secret team/opaque is not used: it is of the type Opaque",
    ]);
  });

  test("are those of the namespace that is asked for", async () => {
    const one = await source(serviceAccount("other", "default"), { namespace: "other" });
    expect(await one.find("r.example", "")).toBeUndefined();
  });
});

describe("the way to the API", () => {
  test("in a pod is its own account, over TLS with the cluster's authority", async () => {
    const { url } = await kubernetes({
      ...serviceAccount("builds", "default", "one"),
      ...secretObject("builds", "one", type, { ".dockerconfigjson": auths("r.example", "ann") }),
    });
    const one = pullSecretsSource({}, { ...(await pod(url)), home });
    expect(lineOf(await one.find("r.example", "app"))).toBe("basic ann:pw");
  });

  test("is KUBECONFIG's, whose first file has the last word, before ~/.kube/config", async () => {
    const { url } = await kubernetes({
      ...serviceAccount("team", "default", "one"),
      ...pullSecret("one", "r.example", "ann"),
    });
    const [right, wrong] = [await kubeconfig(url), await kubeconfig("https://127.0.0.1:1")];
    const find = async (env: Record<string, string>, at = home): Promise<string> =>
      lineOf(await pullSecretsSource({}, { env, home: at }).find("r.example", ""));
    expect(await find({ KUBECONFIG: `/no/such/file:${right}:${wrong}` })).toBe("basic ann:pw");
    const folder = await temporaryDirectory();
    await mkdir(join(folder, ".kube"));
    await writeFile(
      join(folder, ".kube", "config"),
      `{"clusters":[{"name":"c","cluster":{"server":"${url.origin}","insecure-skip-tls-verify":true}}],
      "users":[{"name":"u","user":{"token":"token-of-gantry"}}],"current-context":"x",
      "contexts":[{"name":"x","context":{"cluster":"c","user":"u","namespace":"team"}}]}`,
    );
    expect(await find({}, folder)).toBe("basic ann:pw");
    await expect(find({ KUBECONFIG: wrong }, folder)).rejects.toMatchObject({ code: "NETWORK", retryable: true });
  });

  test("that is not to be found, or leads nowhere, is INVALID", async () => {
    const { url } = await kubernetes({});
    const file = await kubeconfig(url);
    const plain = await kubeconfig("http://127.0.0.1:8001");
    const broken = join(await temporaryDirectory(), "broken");
    await writeFile(broken, "users: [{name: s3cret: s3cret");
    for (const [settings, env, message] of [
      [{}, {}, "there is no Kubernetes cluster to ask: no /no/such/home/.kube/config, and this is no pod"],
      [
        {},
        { KUBERNETES_SERVICE_HOST: "10.0.0.1" },
        "there is no Kubernetes cluster to ask: no /no/such/home/.kube/config, and this is no pod",
      ],
      [{ kubeconfig: "/no/such/file" }, {}, "/no/such/file is not there"],
      [{ kubeconfig: broken }, {}, `${broken} is no kubeconfig`],
      [
        { kubeconfig: plain },
        {},
        `${plain}: http://127.0.0.1:8001 is plain HTTP, and insecure-skip-tls-verify is not set`,
      ],
      [{ kubeconfig: file, context: "none" }, {}, `${file} has no context "none"`],
      [{ kubeconfig: file, context: "lost" }, {}, `${file}: the context "lost" leads to no cluster`],
    ] as const) {
      const error: unknown = await pullSecretsSource(settings, { env, home, root: home })
        .find("r.example", "")
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "INVALID", message });
      expect(inspect(error, { depth: 9 })).not.toContain("s3cret");
    }
  });
});

describe("an API that", () => {
  const account = serviceAccount("team", "default", "one");

  test.each<[string, Objects, PullSecretSettings, object]>([
    [
      "does not know us",
      account,
      { context: "eve" },
      { code: "INVALID", message: expect.stringContaining("does not know who asks (401)") },
    ],
    [
      "does not show the account",
      { "team/serviceaccounts/default": 403 },
      {},
      { code: "INVALID", hint: "give whoever Gantry runs as a Role in team with the verb get on serviceaccounts" },
    ],
    [
      "does not show the secret",
      { ...account, "team/secrets/one": 403 },
      {},
      {
        code: "INVALID",
        message: expect.stringMatching(/does not show the secret team\/one \(403\)$/),
        hint: "give whoever Gantry runs as a Role in team with the verb get on secrets",
      },
    ],
    [
      "has no such account",
      {},
      {},
      { code: "INVALID", message: expect.stringMatching(/^there is no service account team\/default in https/) },
    ],
    [
      "has no secret that was named",
      account,
      { imagePullSecrets: ["mine"] },
      { code: "INVALID", message: expect.stringMatching(/^the secret team\/mine is not in https/) },
    ],
    ["is in trouble", { "team/serviceaccounts/default": 503 }, {}, { code: "UNAVAILABLE", retryable: true }],
    ["answers garbage", { "team/serviceaccounts/default": "s3cret" }, {}, { code: "INVALID" }],
    [
      "has a pull secret without its key",
      { ...account, ...secretObject("team", "one", type, { other: "x" }) },
      {},
      { code: "INVALID", message: "the secret team/one has no .dockerconfigjson" },
    ],
  ])("%s", async (_, objects, settings, expected) => {
    const error: unknown = await (
      await source(objects, settings)
    )
      .find("r.example", "")
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject(expected);
    expect(inspect(error, { depth: 9 })).not.toMatch(/s3cret|token-of-gantry/);
  });

  test("does not answer is TIMEOUT, and ABORTED for who does not wait", async () => {
    const silent = { "team/serviceaccounts/default": "silence" };
    await expect((await source(silent, {}, { timeout: 300 })).find("r.example", "")).rejects.toMatchObject({
      code: "TIMEOUT",
      retryable: true,
    });
    const stop = new AbortController();
    const one = await source(silent);
    const waiting = one.find("r.example", "", stop.signal);
    waiting.catch(() => {});
    await vi.waitFor(() => expect(one.requests).toHaveLength(1), 10_000);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("is not trusted in a pod is NETWORK", async () => {
    const { url } = await kubernetes(account);
    const { root, env } = await pod(url);
    await writeFile(join(root, "var/run/secrets/kubernetes.io/serviceaccount/ca.crt"), "");
    await expect(pullSecretsSource({}, { env, root, home }).find("r.example", "")).rejects.toMatchObject({
      code: "NETWORK",
    });
  });
});
