import { afterAll, beforeAll, expect, test } from "vitest";
import { usedInCluster } from "../src/in-use/kubernetes.ts";
import { readInUse } from "../src/in-use/read.ts";
import { startKubernetes, type Kubernetes } from "./support/kubernetes.ts";
import { describeWith } from "./support/peers.ts";

const digest = `sha256:${"d".repeat(64)}`;
const places = { env: {}, home: "/nonexistent" };
const pod = (image: string): object => ({ containers: [{ name: "main", image }], restartPolicy: "Never" });
const labels = { app: "web" };
const template = (image: string): object => ({
  metadata: { labels },
  spec: { containers: [{ name: "main", image }] },
});
const workload = (name: string, image: string, more: object = {}): object => ({
  metadata: { name },
  spec: { selector: { matchLabels: labels }, template: template(image), ...more },
});

describeWith(["etcd", "kube-apiserver"], "images that Kubernetes runs", () => {
  let kubernetes: Kubernetes;

  beforeAll(async () => {
    kubernetes = await startKubernetes();
    for (const name of ["shop", "jobs"]) await kubernetes.send("POST", "/api/v1/namespaces", { metadata: { name } });
  }, 180_000);
  afterAll(() => kubernetes?.[Symbol.asyncDispose]());

  test("of every namespace and every kind of workload, whatever its size, with what runtimes say", async () => {
    const core = "/api/v1/namespaces/shop";
    const apps = "/apis/apps/v1/namespaces/shop";
    const batch = "/apis/batch/v1/namespaces/jobs";
    const web = {
      metadata: { name: "web-1" },
      spec: {
        ...pod("registry.example/app:1"),
        initContainers: [{ name: "init", image: "registry.example/init:1" }],
        volumes: [{ name: "data", image: { reference: "registry.example/data:1" } }],
      },
    };
    await kubernetes.send("POST", `${core}/pods`, web);
    await kubernetes.send("PATCH", `${core}/pods/web-1/status`, {
      status: {
        containerStatuses: [
          {
            name: "main",
            image: "registry.example/app:1",
            ready: true,
            restartCount: 0,
            imageID: `docker-pullable://registry.example/app@${digest}`,
          },
        ],
      },
    });
    await kubernetes.send("PATCH", `${core}/pods/web-1/ephemeralcontainers`, {
      spec: { ephemeralContainers: [{ name: "debug", image: "registry.example/debug:1" }] },
    });
    await kubernetes.send("POST", `${core}/replicationcontrollers`, {
      metadata: { name: "old" },
      spec: { replicas: 0, selector: labels, template: template("registry.example/rc:1") },
    });
    await kubernetes.send("POST", `${core}/podtemplates`, {
      metadata: { name: "form" },
      template: template("registry.example/template:1"),
    });
    await kubernetes.send("POST", `${apps}/deployments`, workload("web", "registry.example/app:2", { replicas: 0 }));
    await kubernetes.send("POST", `${apps}/replicasets`, workload("web-0", "registry.example/app:0", { replicas: 0 }));
    await kubernetes.send(
      "POST",
      `${apps}/statefulsets`,
      workload("db", "registry.example/db:2", { serviceName: "db" }),
    );
    await kubernetes.send("POST", `${apps}/daemonsets`, workload("agent", "registry.example/agent:1"));
    await kubernetes.send("POST", `${apps}/controllerrevisions`, {
      metadata: { name: "db-1" },
      revision: 1,
      data: { spec: { template: template("registry.example/db:1") } },
    });
    await kubernetes.send("POST", `${batch}/jobs`, {
      metadata: { name: "once" },
      spec: { template: { spec: pod("registry.example/job:1") } },
    });
    await kubernetes.send("POST", `${batch}/cronjobs`, {
      metadata: { name: "night" },
      spec: { schedule: "@daily", jobTemplate: { spec: { template: { spec: pod("registry.example/cron:1") } } } },
    });
    const { used } = await readInUse({ kubernetes: ["admin"], kubeconfig: kubernetes.kubeconfig }, places);
    const found = used.map(({ reference, by }) => `${reference} by ${by.replace(" (context admin)", "")}`);
    expect(found.toSorted()).toEqual([
      "registry.example/agent:1 by daemon set shop/agent",
      "registry.example/app:0 by replica set shop/web-0",
      "registry.example/app:1 by pod shop/web-1",
      "registry.example/app:2 by deployment shop/web",
      `registry.example/app@${digest} by pod shop/web-1`,
      "registry.example/cron:1 by cron job jobs/night",
      "registry.example/data:1 by pod shop/web-1",
      "registry.example/db:1 by controller revision shop/db-1",
      "registry.example/db:2 by stateful set shop/db",
      "registry.example/debug:1 by pod shop/web-1",
      "registry.example/init:1 by pod shop/web-1",
      "registry.example/job:1 by job jobs/once",
      "registry.example/rc:1 by replication controller shop/old",
      "registry.example/template:1 by pod template shop/form",
    ]);
  });

  test("a list of several pages", async () => {
    const names = Array.from({ length: 7 }, (_, i) => `many-${i}`);
    for (const name of names) {
      const spec = pod(`registry.example/${name}:1`);
      await kubernetes.send("POST", "/api/v1/namespaces/jobs/pods", { metadata: { name }, spec });
    }
    const settings = { kubeconfig: kubernetes.kubeconfig, context: "admin" };
    const used = await usedInCluster(settings, { ...places, pageSize: 2 });
    const pods = used.filter(({ by }) => by.startsWith("pod jobs/many-")).map(({ reference }) => reference);
    expect(pods).toEqual(names.map((name) => `registry.example/${name}:1`));
  });

  test("of one namespace, and of one that is not there", async () => {
    const asked = (...namespaces: readonly string[]) =>
      readInUse({ kubernetes: ["admin"], kubeconfig: kubernetes.kubeconfig, namespaces }, places);
    const { used } = await asked("jobs");
    expect(used.map(({ reference }) => reference)).toContain("registry.example/job:1");
    expect(used.filter(({ by }) => !/ jobs\/\S+ \(context admin\)$/.test(by))).toEqual([]);
    await expect(asked("jobs", "job")).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/^there is no namespace job in /) as string,
    });
  });

  test("who may not list them gets an error that says which right lacks", async () => {
    const asked = readInUse({ kubernetes: ["nobody"], kubeconfig: kubernetes.kubeconfig }, places);
    await expect(asked).rejects.toMatchObject({
      code: "DENIED",
      message: expect.stringMatching(/does not show the list of all pods \(403\)$/) as string,
      hint: "give whoever Gantry runs as a ClusterRole with the verb list on pods",
    });
  });
});
