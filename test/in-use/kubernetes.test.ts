import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { usedInCluster } from "../../src/in-use/kubernetes.ts";
import { readInUse } from "../../src/in-use/read.ts";
import { kubeconfig, kubernetes, pod as inPod, type Objects } from "../auth/kubernetes.ts";
import { authority } from "../transport/certificates.ts";

const digest = `sha256:${"d".repeat(64)}`;
const spec = (image: string): object => ({ containers: [{ name: "c", image }] });
const template = (image: string): object => ({ spec: { template: { spec: spec(image) } } });
const named = (name: string, body: object): object => ({ metadata: { namespace: "shop", name }, ...body });
const list = (items: readonly object[], next?: string): object => ({
  kind: "List",
  apiVersion: "v1",
  metadata: { continue: next ?? "" },
  items,
});

const groups = {
  "/api/v1": ["pods", "replicationcontrollers", "podtemplates"],
  "/apis/apps/v1": ["deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"],
  "/apis/batch/v1": ["jobs", "cronjobs"],
};
const empty: Objects = Object.fromEntries(
  Object.entries(groups).flatMap(([group, kinds]) => kinds.map((kind) => [`${group}/${kind}?limit=500`, list([])])),
);

async function used(objects: Objects, more: { readonly pageSize?: number; readonly timeout?: number } = {}) {
  const { url, requests } = await kubernetes({ ...empty, ...objects });
  const file = await kubeconfig(url);
  const found = usedInCluster({ kubeconfig: file, context: "main" }, { env: {}, home: "/nonexistent", ...more });
  return { found, requests, url };
}

test("all that runs, is to run, or may run again, over all namespaces", async () => {
  const { found, requests } = await used({
    "/api/v1/pods?limit=500": list([
      named("web-1", {
        spec: { ...spec("registry.example/app:1"), initContainers: [{ name: "i", image: "registry.example/init:1" }] },
        status: { containerStatuses: [{ name: "c", image: "app:1", imageID: `registry.example/app@${digest}` }] },
      }),
    ]),
    "/api/v1/podtemplates?limit=500": list([named("t", { template: { spec: spec("registry.example/template:1") } })]),
    "/apis/apps/v1/deployments?limit=500": list([named("web", template("registry.example/app:2"))]),
    "/apis/apps/v1/replicasets?limit=500": list([
      named("web-old", { spec: { replicas: 0, template: { spec: spec("registry.example/app:0") } } }),
    ]),
    "/apis/apps/v1/controllerrevisions?limit=500": list([
      named("db-1", { revision: 1, data: { spec: { template: { spec: spec("registry.example/db:1") } } } }),
    ]),
    "/apis/batch/v1/cronjobs?limit=500": list([
      named("night", { spec: { schedule: "@daily", jobTemplate: template("registry.example/night:1") } }),
    ]),
  });
  expect(await found).toEqual([
    { reference: "registry.example/app:1", by: "pod shop/web-1 (context main)" },
    { reference: "registry.example/init:1", by: "pod shop/web-1 (context main)" },
    { reference: "docker.io/library/app:1", by: "pod shop/web-1 (context main)" },
    { reference: `registry.example/app@${digest}`, by: "pod shop/web-1 (context main)" },
    { reference: "registry.example/template:1", by: "pod template shop/t (context main)" },
    { reference: "registry.example/app:2", by: "deployment shop/web (context main)" },
    { reference: "registry.example/app:0", by: "replica set shop/web-old (context main)" },
    { reference: "registry.example/db:1", by: "controller revision shop/db-1 (context main)" },
    { reference: "registry.example/night:1", by: "cron job shop/night (context main)" },
  ]);
  expect(requests).toEqual(Object.keys(empty));
});

test("a list of many pages; what is too old by then is read whole", async () => {
  const one = named("a", { spec: spec("registry.example/a:1") });
  const two = named("b", { spec: spec("registry.example/b:1") });
  const pages = { "/api/v1/pods?limit=500": list([one], "t1"), "/api/v1/pods?continue=t1&limit=500": list([two]) };
  const { found } = await used(pages);
  expect((await found).map(({ reference }) => reference)).toEqual(["registry.example/a:1", "registry.example/b:1"]);
  const gone = { ...pages, "/api/v1/pods?continue=t1&limit=500": 410, "/api/v1/pods": list([one, two]) };
  const { found: again, requests } = await used(gone);
  expect((await again).map(({ reference }) => reference)).toEqual(["registry.example/a:1", "registry.example/b:1"]);
  expect(requests.slice(0, 3)).toEqual([
    "/api/v1/pods?limit=500",
    "/api/v1/pods?continue=t1&limit=500",
    "/api/v1/pods",
  ]);
});

test.each([
  ["/api/v1/pods?limit=500", 401, "UNAUTHORIZED", /does not know who asks \(401\)$/],
  ["/apis/batch/v1/jobs?limit=500", 403, "DENIED", /does not show the list of all jobs \(403\)$/],
  ["/apis/apps/v1/replicasets?limit=500", 404, "INVALID", /^there is no list of all replicasets in /],
  ["/api/v1/pods?limit=500", 503, "UNAVAILABLE", /answered 503 to a request for the list of all pods$/],
  ["/api/v1/pods?limit=500", {}, "INVALID", /answers with no list of pods$/],
  ["/api/v1/pods?limit=500", "no JSON", "INVALID", /cannot be asked for the list of all pods$/],
  [
    "/api/v1/pods?limit=500",
    list([named("x", { spec: spec("a b") })]),
    "INVALID",
    /^pod shop\/x \(context main\): invalid/,
  ],
])("%s that answers %j stops everything", async (path, answered, code, message) => {
  const { found } = await used({ [path]: answered });
  await expect(found).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
});

test("a list that goes in circles, and one that does not come, are errors", async () => {
  const circle = { "/api/v1/pods?limit=500": list([], "t"), "/api/v1/pods?continue=t&limit=500": list([], "t") };
  await expect((await used(circle)).found).rejects.toThrow(/goes round in circles in its list of pods$/);
  const silent = await used({ "/api/v1/pods?limit=500": "silence" }, { timeout: 200 });
  await expect(silent.found).rejects.toMatchObject({ code: "TIMEOUT" });
});

test("several contexts, each named; the current one; one that is not there", async () => {
  const pods = list([named("a", { spec: spec("registry.example/a:1") })]);
  const { url } = await kubernetes({ ...empty, "/api/v1/pods?limit=500": pods });
  const file = await kubeconfig(url);
  const places = { env: {}, home: "/nonexistent" };
  const { used: found } = await readInUse({ kubernetes: ["main", "current", "main"], kubeconfig: file }, places);
  const server = String(url).replace(/\/$/, "");
  expect(found).toEqual([
    { reference: "registry.example/a:1", by: "pod shop/a (context main)" },
    { reference: "registry.example/a:1", by: `pod shop/a (${server})` },
  ]);
  await expect(readInUse({ kubernetes: ["main", "lost"], kubeconfig: file }, places)).rejects.toThrow(
    /"lost" leads to no cluster/,
  );
  await expect(readInUse({ kubernetes: ["eve"], kubeconfig: file }, places)).rejects.toThrow(
    /does not know who asks \(401\)/,
  );
});

const others = `
- {name: "file", user: {tokenFile: token, token: old}}
- {name: "no file", user: {tokenFile: nowhere}}
- {name: program, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: "false", interactiveMode: Never}}}
- {name: absent, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin}}}
- {name: teller, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./teller, args: [of-gantry, "3600000"], env: [{name: WHO, value: token}], provideClusterInfo: true}}}
- {name: forgetful, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./teller, args: [of-gantry, "-1"], env: [{name: WHO, value: token}]}}}
- {name: sleeper, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./sleeper}}}
contexts:
- {name: "file", context: {cluster: here, user: "file"}}
- {name: "no file", context: {cluster: here, user: "no file"}}
- {name: program, context: {cluster: here, user: program}}
- {name: absent, context: {cluster: here, user: absent}}
- {name: teller, context: {cluster: here, user: teller}}
- {name: forgetful, context: {cluster: here, user: forgetful}}
- {name: sleeper, context: {cluster: here, user: sleeper}}
- {name: nobody, context: {cluster: here, user: bob}}`;

test("the ways to log in: a token in a file; a user or program that is not there, or fails, is named", async () => {
  const pods = list([named("a", { spec: spec("registry.example/a:1") })]);
  const { url } = await kubernetes({ ...empty, "/api/v1/pods?limit=500": pods });
  const file = await kubeconfig(url);
  await writeFile(file, (await readFile(file, "utf8")).replace("\ncontexts:", others));
  await writeFile(join(dirname(file), "token"), "token-of-gantry\n");
  const asked = (context: string) =>
    readInUse({ kubernetes: [context], kubeconfig: file }, { env: {}, home: "/nonexistent" });
  expect((await asked("file")).used).toHaveLength(1);
  await expect(asked("no file")).rejects.toMatchObject({
    message: expect.stringMatching(/pods: cannot read \/.*\/nowhere: there is no such file or directory$/) as string,
    hint: `${file} names it`,
  });
  await expect(asked("absent")).rejects.toMatchObject({
    message: expect.stringMatching(/pods: cannot run no-such-plugin: there is no such file or directory$/) as string,
    hint: `${file} names it`,
  });
  await expect(asked("program")).rejects.toMatchObject({
    hint: `look at the user program in ${file}, who logs in by running false`,
  });
  await expect(asked("nobody")).rejects.toThrow(`${file}: the context "nobody" has a user bob that is not there`);
  await expect(asked("prod")).rejects.toMatchObject({
    message: `${file} has no context "prod"`,
    hint: "its contexts are file, no file, program, absent, teller, forgetful, sleeper, nobody, main, eve, lost",
  });
});

test("a program that logs in is told what is wanted, asked again when that has ended, and not left behind where it hangs", async () => {
  const pods = list([named("a", { spec: spec("registry.example/a:1") })]);
  const { url } = await kubernetes({ ...empty, "/api/v1/pods?limit=500": pods });
  const file = await kubeconfig(url);
  const folder = dirname(file);
  await writeFile(file, (await readFile(file, "utf8")).replace("\ncontexts:", others));
  const program = (name: string, text: string) =>
    writeFile(join(folder, name), `#!${process.execPath}\n${text}`, { mode: 0o755 });
  await program(
    "teller",
    `const { appendFileSync } = require("node:fs");
     appendFileSync(${JSON.stringify(join(folder, "told"))}, process.env.KUBERNETES_EXEC_INFO + "\\n");
     const status = { token: process.env.WHO + "-" + process.argv[2], expirationTimestamp: new Date(Date.now() + Number(process.argv[3])) };
     console.log(JSON.stringify({ kind: "ExecCredential", status }));`,
  );
  await program(
    "sleeper",
    `require("node:fs").writeFileSync(${JSON.stringify(join(folder, "pid"))}, String(process.pid)); setInterval(() => {}, 1000);`,
  );
  const places = { env: {}, home: "/nonexistent" };
  expect(await usedInCluster({ kubeconfig: file, context: "teller" }, places)).toHaveLength(1);
  const told = async () => (await readFile(join(folder, "told"), "utf8")).trimEnd().split("\n");
  expect((await told()).map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1",
      spec: {
        interactive: false,
        cluster: {
          server: String(url).replace(/\/$/, ""),
          "certificate-authority-data": Buffer.from(authority).toString("base64"),
        },
      },
    },
  ]);
  await usedInCluster({ kubeconfig: file, context: "forgetful" }, places);
  expect(await told()).toHaveLength(1 + Object.keys(empty).length); // What it says has ended before each list.
  await expect(
    usedInCluster({ kubeconfig: file, context: "sleeper" }, { ...places, timeout: 1000 }),
  ).rejects.toMatchObject({ code: "TIMEOUT" });
  const pid = Number(await readFile(join(folder, "pid"), "utf8"));
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
});

test("where no context is the current one, or the cluster is not trusted or there, that is told", async () => {
  const { url } = await kubernetes(empty);
  const file = await kubeconfig(url);
  const text = await readFile(file, "utf8");
  const asked = async (changed: string) => {
    await writeFile(file, changed);
    return readInUse({ kubernetes: ["current"], kubeconfig: file }, { env: {}, home: "/nonexistent" });
  };
  await expect(asked(text.replace("current-context: main", ""))).rejects.toMatchObject({
    message: `${file} has no current context`,
    hint: "its contexts are main, eve, lost",
  });
  await expect(asked(text.replace(/, certificate-authority-data: [^}]+/, ""))).rejects.toMatchObject({
    code: "NETWORK",
    hint: `look at the certificate-authority of its cluster in ${file}`,
  });
  await expect(asked(text.replace(/:\d+"/, ':9"'))).rejects.toMatchObject({
    code: "NETWORK",
    hint: "see whether it is up, and whether this machine may reach it",
  });
});

test("in a pod, the cluster that it runs in", async () => {
  const pods = list([named("a", { spec: spec("registry.example/a:1") })]);
  const { url } = await kubernetes({ ...empty, "/api/v1/pods?limit=500": pods });
  const { root, env } = await inPod(url);
  const { used: found } = await readInUse({ kubernetes: ["current"] }, { env, home: "/nonexistent", root });
  expect(found.map(({ reference }) => reference)).toEqual(["registry.example/a:1"]);
});

test("of namespaces that are named, alone; of one that is not there, nothing is believed", async () => {
  const inShop: Objects = Object.fromEntries(
    Object.entries(groups).flatMap(([group, kinds]) =>
      kinds.map((kind) => {
        const path = `${group}/namespaces/shop/${kind}?limit=500`.replace("/api/v1/namespaces/", "");
        return [path, list(kind === "pods" ? [named("a", { spec: spec("registry.example/a:1") })] : [])];
      }),
    ),
  );
  const { url, requests } = await kubernetes({ ...inShop, shop: { kind: "Namespace", metadata: { name: "shop" } } });
  const sources = { kubernetes: ["main"], kubeconfig: await kubeconfig(url) };
  const places = { env: {}, home: "/nonexistent" };
  const { used: found } = await readInUse({ ...sources, namespaces: ["shop", "shop"] }, places);
  expect(found).toEqual([{ reference: "registry.example/a:1", by: "pod shop/a (context main)" }]);
  expect(requests).toEqual(["shop", ...Object.keys(inShop)]);
  await expect(readInUse({ ...sources, namespaces: ["shop", "shpo"] }, places)).rejects.toMatchObject({
    code: "INVALID",
    message: expect.stringMatching(/^there is no namespace shpo in /) as string,
  });
});

test("a namespace that may be listed and not looked at is believed; one that may not be listed stops everything", async () => {
  const { url } = await kubernetes({ shop: 403, "shop/pods?limit=500": 403 });
  const cluster = { kubeconfig: await kubeconfig(url), context: "main" };
  await expect(usedInCluster(cluster, { env: {}, home: "/nonexistent", namespaces: ["shop"] })).rejects.toMatchObject({
    message: expect.stringMatching(/does not show the list of all pods in namespace shop \(403\)$/) as string,
    hint: "give whoever Gantry runs as a Role in shop with the verb list on pods",
  });
});
