import type * as kubernetes from "@kubernetes/client-node";
import { delimiter, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { RegistryError } from "../oci/error.ts";
import type { Environment } from "./credential.ts";
import { readSecretFile } from "./secret-file.ts";

/** Which cluster is asked, and as whom. */
export interface ClusterSettings {
  /** A kubeconfig file; otherwise those of KUBECONFIG, ~/.kube/config, or the pod's own service account. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig; its current one. */
  readonly context?: string;
}

export interface ClusterPlaces {
  readonly env: Environment;
  readonly home: string;
  /** What the absolute paths are below, for tests; `/`. */
  readonly root?: string;
}

/** The way to a cluster's API. */
export interface Cluster {
  readonly config: kubernetes.KubeConfig;
  /** The API's address, for people. */
  readonly server: string;
  /** The namespace to look into where none is asked for. */
  readonly namespace: string;
  /** The files that say it, for people. */
  readonly where: string;
  /** Where its login is from, for people. */
  readonly login: string;
}

/** The module of Kubernetes' client. */
export type Client = typeof kubernetes;

/** Loads Kubernetes' client, which is installed on its own. Throws INVALID where it is not. */
export async function loadClient(): Promise<Client> {
  try {
    return await import("@kubernetes/client-node");
  } catch (error) {
    throw new RegistryError("INVALID", "asking Kubernetes needs the package @kubernetes/client-node", {
      hint: "npm install @kubernetes/client-node",
      cause: error,
    });
  }
}

/** Finds the cluster to ask, in kubectl's order. Throws INVALID where there is none, or a file is not right. */
export async function findCluster(
  { KubeConfig }: Client,
  { kubeconfig, context }: ClusterSettings,
  { env, home, root = "/" }: ClusterPlaces,
): Promise<Cluster> {
  const config = new KubeConfig();
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  const files = kubeconfig ? [kubeconfig] : listed.length > 0 ? listed : [join(home, ".kube", "config")];
  const found = [];
  for (const file of files) if (await loadFile(new KubeConfig(), config, file)) found.push(file);
  if (found.length === 0) {
    if (kubeconfig) throw invalid(`${kubeconfig} is not there`);
    if (!(await loadServiceAccount(config, env, root)))
      throw invalid(`there is no Kubernetes cluster to ask: no ${files.join(", no ")}, and this is no pod`);
  }
  const where = found.join(", ") || "the pod's service account";
  if (context !== undefined) config.setCurrentContext(context);
  const chosen = config.getContextObject(config.getCurrentContext());
  if (!chosen) {
    const names = config.contexts.map(({ name }) => name);
    const hint = names.length === 0 ? undefined : `its contexts are ${names.join(", ")}`;
    const lacking = config.getCurrentContext()
      ? `context ${JSON.stringify(config.getCurrentContext())}`
      : "current context";
    throw invalid(`${where} has no ${lacking}`, hint);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster || !URL.canParse(cluster.server))
    throw invalid(`${where}: the context ${JSON.stringify(chosen.name)} leads to no cluster`);
  if (!cluster.server.startsWith("https:") && !cluster.skipTLSVerify)
    throw invalid(`${where}: ${cluster.server} is plain HTTP, and insecure-skip-tls-verify is not set`);
  const user = config.getCurrentUser();
  if (chosen.user && !user)
    throw invalid(`${where}: the context ${JSON.stringify(chosen.name)} has a user ${chosen.user} that is not there`);
  const login = `the user ${chosen.user || "that is lacking"} in ${where}, ${howOf(user)}`;
  return { config, server: cluster.server, namespace: chosen.namespace ?? "default", where, login };
}

/** How a user logs in, for people: the program that is run. */
function howOf(user: kubernetes.User | null): string {
  const { command } = (user?.exec ?? {}) as { readonly command?: unknown };
  return typeof command === "string" ? `who logs in by running ${command}` : "and what it reads to log in";
}

/** Adds one file to the configuration, the first to name a thing having the last word, as for kubectl. */
async function loadFile(own: kubernetes.KubeConfig, config: kubernetes.KubeConfig, file: string): Promise<boolean> {
  const read = await readSecretFile(file);
  if (!read) return false;
  try {
    own.loadFromString(read.text);
    own.makePathsAbsolute(join(file, ".."));
    own.users = withFiles(own.users, read.text, file);
  } catch {
    // The message may quote the file, which is secret.
    throw invalid(`${file} is no kubeconfig`);
  }
  const isNew =
    <T extends { readonly name: string }>(known: readonly T[]) =>
    ({ name }: T): boolean =>
      !known.some((one) => one.name === name);
  config.loadFromOptions({
    clusters: [...(config.clusters ?? []), ...own.clusters.filter(isNew(config.clusters ?? []))],
    users: [...(config.users ?? []), ...own.users.filter(isNew(config.users ?? []))],
    contexts: [...(config.contexts ?? []), ...own.contexts.filter(isNew(config.contexts ?? []))],
    currentContext: config.currentContext || own.currentContext,
  });
  return true;
}

/**
 * Users, with what the client does not see: a token in a file of its own, which goes before one that is here, and a program
 * whose path is from the file (both as in kubectl).
 */
function withFiles(users: readonly kubernetes.User[], text: string, file: string): kubernetes.User[] {
  const named = parse(text, { strict: false }) as { users?: { name: string; user?: { tokenFile?: string } }[] };
  return users.map((user) => {
    const tokenFile = named.users?.find(({ name }) => name === user.name)?.user?.tokenFile;
    const { token, ...others } = user;
    const { command } = (user.exec ?? {}) as { readonly command?: unknown };
    const isPath = typeof command === "string" && /[/\\]/.test(command);
    return {
      ...others,
      ...(token && !tokenFile && { token }),
      ...(tokenFile && {
        authProvider: { name: "tokenFile", config: { tokenFile: resolve(dirname(file), tokenFile) } },
      }),
      ...(isPath && { exec: { ...user.exec, command: resolve(dirname(file), command) } }),
    };
  });
}

/** A pod's own account (Kubernetes, "Accessing the Kubernetes API from a Pod"), if this is a pod. */
async function loadServiceAccount(config: kubernetes.KubeConfig, env: Environment, root: string): Promise<boolean> {
  const folder = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
  const host = env["KUBERNETES_SERVICE_HOST"];
  if (!host || !(await readSecretFile(join(folder, "token")))) return false;
  const namespace = (await readSecretFile(join(folder, "namespace")))?.text.trim();
  const name = "pod";
  config.loadFromOptions({
    clusters: [
      {
        name,
        caFile: join(folder, "ca.crt"),
        server: `https://${host.includes(":") ? `[${host}]` : host}:${env["KUBERNETES_SERVICE_PORT"] || "443"}`,
        skipTLSVerify: false,
      },
    ],
    users: [{ name, authProvider: { name: "tokenFile", config: { tokenFile: join(folder, "token") } } }],
    contexts: [{ name, cluster: name, user: name, ...(namespace && { namespace }) }],
    currentContext: name,
  });
  return true;
}

function invalid(message: string, hint = "say where the cluster is, or do not ask it"): RegistryError {
  return new RegistryError("INVALID", message, { hint });
}
