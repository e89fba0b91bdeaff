import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { peer } from "./peers.ts";
import { start, type Running } from "./run.ts";

/** Kubernetes' own API server over etcd, without anything that runs pods: what is put in stays as it is. */
export interface Kubernetes extends AsyncDisposable {
  /** A kubeconfig with the contexts `admin`, who may do everything, and `nobody`, who may do nothing. */
  readonly kubeconfig: string;
  /** Sends an object as the admin, and answers what came back. */
  send(method: "POST" | "PATCH", path: string, body: object): Promise<Record<string, unknown>>;
}

/** Starts both on free ports of 127.0.0.1. */
export async function startKubernetes(): Promise<Kubernetes> {
  const [etcd, apiserver] = [peer("etcd"), peer("kube-apiserver")];
  if (!etcd || !apiserver) throw new Error("etcd or kube-apiserver is absent: run scripts/peers");
  const folder = await mkdtemp(join(tmpdir(), "gantry-kubernetes-"));
  const [client, peers, port] = await Promise.all([freePort(), freePort(), freePort()]);
  const [clients, members] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peers}`];
  const files = {
    tokens: join(folder, "tokens.csv"),
    key: join(folder, "accounts.pem"),
    kubeconfig: join(folder, "kubeconfig"),
  };
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(files.key, privateKey.export({ type: "sec1", format: "pem" }));
  await writeFile(files.tokens, 'admin-token,admin,1,"system:masters"\nnobody-token,nobody,2\n');
  await writeFile(files.kubeconfig, kubeconfig(port), { mode: 0o600 });
  const running: Running[] = [
    start(
      etcd.path,
      flags({
        "data-dir": join(folder, "etcd"),
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": members,
        "initial-advertise-peer-urls": members,
        "initial-cluster": `default=${members}`,
        "log-level": "error",
        "unsafe-no-fsync": "true",
      }),
    ),
    start(
      apiserver.path,
      flags({
        "etcd-servers": clients,
        "bind-address": "127.0.0.1",
        "secure-port": `${port}`,
        "cert-dir": join(folder, "certificates"),
        "token-auth-file": files.tokens,
        "authorization-mode": "RBAC",
        "service-account-issuer": "https://kubernetes.test",
        "service-account-key-file": files.key,
        "service-account-signing-key-file": files.key,
        "service-cluster-ip-range": "10.0.0.0/24",
        "disable-admission-plugins": "ServiceAccount,TaintNodesByCondition,Priority",
      }),
    ),
  ];
  const stop = async (): Promise<void> => {
    await Promise.all(running.toReversed().map((one) => one.stop()));
    await rm(folder, { recursive: true });
  };
  for (let tries = 0; tries < 1200 && running.every((one) => one.alive()); tries++) {
    const ready = await ask(port, "GET", "/readyz").catch(() => undefined);
    if (ready?.status === 200) {
      return {
        kubeconfig: files.kubeconfig,
        async send(method, path, body) {
          const { status, text } = await ask(port, method, path, body);
          if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
          return JSON.parse(text) as Record<string, unknown>;
        },
        [Symbol.asyncDispose]: stop,
      };
    }
    await delay(100);
  }
  const said = running.map((one) => one.stderr().slice(-2000)).join("\n");
  await stop();
  throw new Error(`Kubernetes did not come up:\n${said}`);
}

const flags = (values: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

function ask(port: number, method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const headers = { authorization: "Bearer admin-token", "content-type": type };
  return new Promise((resolve, reject) => {
    // Its certificate is one that it made for itself a moment ago.
    const sent = request({ host: "127.0.0.1", port, method, path, headers, rejectUnauthorized: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve({ status: response.statusCode!, text: Buffer.concat(pieces).toString() }));
    });
    sent.on("error", reject);
    sent.end(body && JSON.stringify(body));
  });
}

async function freePort(): Promise<number> {
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(0, "127.0.0.1", resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

const kubeconfig = (port: number): string => `apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "https://127.0.0.1:${port}", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: admin-token}}, {name: nobody, user: {token: nobody-token}}]
contexts: [{name: admin, context: {cluster: here, user: admin}}, {name: nobody, context: {cluster: here, user: nobody}}]
current-context: admin
`;
