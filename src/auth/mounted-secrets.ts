import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { userPassword, type Credential, type CredentialSource, type OnWarning } from "./credential.ts";
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

/** Where pods have secrets of the type kubernetes.io/dockerconfigjson. */
const dockerConfigs = [
  "var/run/secrets/kubernetes.io/dockerconfigjson/.dockerconfigjson",
  "var/run/secrets/registry-secret/.dockerconfigjson",
  ...folders.map((folder) => `${folder}/.dockerconfigjson`),
];

/** Logins that Kubernetes has mounted into this pod; each goes to the registry that it, or who runs Gantry, names. */
export function mountedSecretsSource(options: MountedSecretsOptions = {}): CredentialSource {
  const { root = "/", registry, onWarning } = options;
  return {
    name: "secrets mounted by Kubernetes",
    async find(host, path, signal) {
      for (const folder of folders.map((name) => join(root, name))) {
        const values = await readFolder(folder, signal);
        const key = values["registry"] || registry;
        if (key === undefined || !keysFor(host, path).includes(normalizeKey(key))) {
          if (key === undefined && hasLogin(values)) warnUnscoped(folder, host, onWarning);
          continue;
        }
        const authFile = values["auth_file"];
        const credential =
          readValues(values, folder) ??
          (authFile &&
            (await dockerConfigSource(resolve(folder, authFile), authFile, options).find(host, path, signal)));
        if (credential) return credential;
      }
      for (const file of dockerConfigs.map((name) => join(root, name))) {
        const read = await readSecretFile(file, signal);
        const credential = read && findPullSecret(parseDockerConfig(read.text, file).auths, host, path, file);
        if (credential) return credential;
      }
      return undefined;
    },
  };
}

const fields = ["registry", "username", "password", "token", "auth_file"];

/** The values of a mounted secret by name, without the white space around them. */
async function readFolder(folder: string, signal: AbortSignal | undefined): Promise<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {};
  const names = await readdir(folder).catch((): string[] => []);
  for (const field of fields.filter((name) => names.includes(name))) {
    const read = await readSecretFile(join(folder, field), signal);
    if (read) values[field] = read.text.trim();
  }
  return values;
}

function hasLogin({ password, token }: Readonly<Record<string, string>>): boolean {
  return Boolean(password || token);
}

function warnUnscoped(folder: string, host: string, onWarning: OnWarning | undefined): void {
  onWarning?.(
    `the login in ${folder} is not used: nothing says which registry it is for; add the file registry to it`,
    host,
  );
}

function readValues(
  { username, password, token }: Readonly<Record<string, string>>,
  at: string,
): Credential | undefined {
  if (username && password) return { ...userPassword(username, password), origin: `${at}: username and password` };
  return token ? { kind: "bearer", token: new Secret(token), origin: `${at}: token` } : undefined;
}
