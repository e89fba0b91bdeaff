import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { userPassword, type Credential, type CredentialSource } from "./credential.ts";
import { dockerConfigSource, type DockerConfigOptions } from "./docker-config-source.ts";
import { parseDockerConfig } from "./docker-config.ts";
import { keysFor, normalizeKey } from "./keys.ts";
import { findPullSecret } from "./pull-secret.ts";
import { readSecretFile } from "./secret-file.ts";
import { Secret } from "./secret.ts";

export interface MountedSecretsOptions extends DockerConfigOptions {
  /** The registry, or `host/path`, of the secrets that do not say which they are for; without it they are not used. */
  readonly registry?: string;
  /** What the absolute paths are below, for tests; `/`. */
  readonly root?: string;
}

/** Where pods have secrets with a file for each value (`username`, `password`, `token`, `registry`, `auth_file`). */
const folders = [
  "var/run/secrets/registry",
  "etc/registry-secrets",
  "run/secrets/registry",
  "var/run/secrets/registry-auth",
  "var/run/secrets/docker-registry",
  "var/run/secrets/registry-credentials",
];

/** Where pods have secrets of the type kubernetes.io/dockerconfigjson, beside those. */
const dockerFolders = ["var/run/secrets/kubernetes.io/dockerconfigjson", "var/run/secrets/registry-secret"];
const dockerFile = ".dockerconfigjson";

/** Logins that Kubernetes has mounted into this pod; each goes to the registry that it, or who runs Gantry, names. */
export function mountedSecretsSource(options: MountedSecretsOptions = {}): CredentialSource {
  const { root = "/" } = options;
  return {
    name: "secrets mounted by Kubernetes",
    async find(host, path, signal) {
      const place = { host, path, signal };
      const mounted = await Promise.all([...folders, ...dockerFolders].map((name) => look(join(root, name))));
      for (const secret of mounted.slice(0, folders.length)) {
        const credential = await findInValues(secret, place, options);
        if (credential) return credential;
      }
      for (const { folder, files } of mounted) {
        const file = join(folder, dockerFile);
        const read = files.includes(dockerFile) ? await readSecretFile(file, signal) : undefined;
        const credential = read && findPullSecret(parseDockerConfig(read.text, file).auths, host, path, file);
        if (credential) return credential;
      }
      return undefined;
    },
  };
}

/** A folder that may be a mounted secret. */
interface Mounted {
  readonly folder: string;
  readonly files: readonly string[];
}

async function look(folder: string): Promise<Mounted> {
  return { folder, files: await readdir(folder).catch(() => []) };
}

interface Place {
  readonly host: string;
  readonly path: string;
  readonly signal: AbortSignal | undefined;
}

async function findInValues(
  secret: Mounted,
  { host, path, signal }: Place,
  options: MountedSecretsOptions,
): Promise<Credential | undefined> {
  const values = await readValues(secret, signal);
  const { folder } = secret;
  const key = values["registry"] || options.registry;
  if (key === undefined) {
    if (values["password"] || values["token"]) options.onWarning?.(unscopedWarning(folder), host);
    return undefined;
  }
  if (!keysFor(host, path).includes(normalizeKey(key))) return undefined;
  const authFile = values["auth_file"];
  const login = loginOf(values, folder);
  if (login || !authFile) return login;
  return await dockerConfigSource(resolve(folder, authFile), authFile, options).find(host, path, signal);
}

const fields = ["registry", "username", "password", "token", "auth_file"];

/** The values of a mounted secret by name, without the white space around them. */
async function readValues(
  { folder, files }: Mounted,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {};
  for (const field of fields.filter((name) => files.includes(name))) {
    const read = await readSecretFile(join(folder, field), signal);
    if (read) values[field] = read.text.trim();
  }
  return values;
}

function unscopedWarning(folder: string): string {
  return `the login in ${folder} is not used: nothing says which registry it is for; add the file registry to it`;
}

function loginOf({ username, password, token }: Readonly<Record<string, string>>, at: string): Credential | undefined {
  if (username && password) return { ...userPassword(username, password), origin: `${at}: username and password` };
  return token ? { kind: "bearer", token: new Secret(token), origin: `${at}: token` } : undefined;
}
