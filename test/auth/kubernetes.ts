import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "../support/temporary.ts";
import { authority, serverCertificate, serverKey } from "../transport/certificates.ts";
import { answer, listen } from "../transport/listen.ts";

/** The token that the API wants to see. */
const token = "token-of-gantry";

/** What an API answers, by path below /api/v1/namespaces: an object, or the status of a refusal. */
export type Objects = Readonly<Record<string, unknown>>;

/** Kubernetes' API for one test, as far as it is needed: its objects to who has the token. */
export async function kubernetes(
  objects: Objects,
): Promise<{ readonly url: URL; readonly requests: readonly string[] }> {
  const requests: string[] = [];
  const running = await listen(
    (request, response) => {
      const path = request.url!.replace("/api/v1/namespaces/", "");
      requests.push(path);
      if (request.headers.authorization !== `Bearer ${token}`)
        return answer(response, 401, status(401, "Unauthorized"), json);
      const found = objects[path] ?? 404;
      if (found === "silence") return undefined;
      if (typeof found === "number") return answer(response, found, status(found, `${path}: ${found}`), json);
      return answer(response, 200, typeof found === "string" ? found : JSON.stringify(found), json);
    },
    createServer({ cert: serverCertificate, key: serverKey }),
  );
  onTestFinished(() => running[Symbol.asyncDispose]());
  return { url: running.url, requests };
}

const json = { "content-type": "application/json" };

function status(code: number, message: string): string {
  return JSON.stringify({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code });
}

/** A service account that pulls with these secrets. */
export function serviceAccount(namespace: string, name: string, ...secrets: readonly string[]): Objects {
  return {
    [`${namespace}/serviceaccounts/${name}`]: {
      kind: "ServiceAccount",
      apiVersion: "v1",
      metadata: { name, namespace },
      imagePullSecrets: secrets.map((secret) => ({ name: secret })),
    },
  };
}

/** A secret of a type, with the value under its key. */
export function secretObject(
  namespace: string,
  name: string,
  type: string,
  data: Readonly<Record<string, string>>,
): Objects {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  return {
    [`${namespace}/secrets/${name}`]: {
      kind: "Secret",
      apiVersion: "v1",
      metadata: { name, namespace, creationTimestamp: "2026-01-02T03:04:05Z" },
      data: Object.fromEntries(encoded),
      type,
    },
  };
}

/** A kubeconfig file that leads to an API, in the namespace `team`. */
export async function kubeconfig(server: URL | string): Promise<string> {
  const file = join(await temporaryDirectory(), "kubeconfig");
  const ca = Buffer.from(authority).toString("base64");
  const text = `apiVersion: v1
kind: Config
clusters:
- {name: here, cluster: {server: "${String(server).replace(/\/$/, "")}", certificate-authority-data: ${ca}}}
users:
- {name: ann, user: {token: ${token}}}
- {name: eve, user: {token: wrong}}
contexts:
- {name: main, context: {cluster: here, user: ann, namespace: team}}
- {name: eve, context: {cluster: here, user: eve}}
- {name: lost, context: {cluster: nowhere, user: ann}}
current-context: main
`;
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/** A root with the files that a pod has, and its environment, for an API over TLS. */
export async function pod(url: URL): Promise<{ root: string; env: Readonly<Record<string, string>> }> {
  const root = await temporaryDirectory();
  const folder = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "token"), token);
  await writeFile(join(folder, "ca.crt"), authority);
  await writeFile(join(folder, "namespace"), "builds\n");
  return { root, env: { KUBERNETES_SERVICE_HOST: url.hostname, KUBERNETES_SERVICE_PORT: url.port } };
}
