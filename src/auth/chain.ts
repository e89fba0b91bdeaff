import { join } from "node:path";
import type { Clock } from "../transport/clock.ts";
import { configSource, type ConfigLogins } from "./config-logins.ts";
import type { CredentialSource, Environment, OnWarning } from "./credential.ts";
import { dockerAuthConfigSource } from "./docker-auth-config.ts";
import { dockerConfigSource, type DockerConfigOptions } from "./docker-config-source.ts";
import {
  gantryVariablesSource,
  hostVariablesSource,
  serviceVariablesSource,
  type ServiceVariables,
} from "./environment.ts";
import { helperListSource, type HelperList } from "./helper-list.ts";
import { helperLogins } from "./helper-logins.ts";
import { mountedSecretsSource } from "./mounted-secrets.ts";
import { netrcSource } from "./netrc.ts";
import { pullSecretsSource, type PullSecretSettings } from "./pull-secrets-source.ts";
import { registryJsonSource } from "./registry-json.ts";

export interface ChainOptions {
  readonly env: Environment;
  readonly home: string;
  /** The user's number, for /run/containers; absent where users have none. */
  readonly uid?: number;
  /** A file that must be there and stands in for Podman's and Docker's; otherwise REGISTRY_AUTH_FILE's does. */
  readonly authFile?: string;
  /** The logins of Gantry's configuration. */
  readonly config?: { readonly logins: ConfigLogins; readonly origin: string };
  /** Variables that services set to log in to their registries, and those for their APIs, which come late. */
  readonly services?: { readonly registry: readonly ServiceVariables[]; readonly api: readonly ServiceVariables[] };
  /** The `credential-helpers` of registries.conf. */
  readonly credentialHelpers?: HelperList;
  readonly kubernetes?: KubernetesSettings;
  readonly onWarning?: OnWarning;
  readonly clock?: Clock;
  /** What the absolute paths are below, for tests; `/`. */
  readonly root?: string;
}

export interface KubernetesSettings {
  /** The registry, or `host/path`, that mounted secrets are for which do not say so themselves. */
  readonly registry?: string;
  /** Pull secrets to read through the API, which is asked for nothing without this. */
  readonly pullSecrets?: PullSecretSettings;
}

/**
 * All places where credentials are looked for, in order (docs/decisions/0010-credential-order.md): what was named for this
 * run, the environment, Gantry's configuration, the files of Podman and Docker, and what is merely there.
 */
export function credentialChain(options: ChainOptions): readonly CredentialSource[] {
  const { env, home, root = "/", config, services, kubernetes, clock } = options;
  const onWarning = options.onWarning && once(options.onWarning);
  const helpers = helperLogins({ env, ...(clock && { clock }) });
  const shared = { helpers, ...(onWarning && { onWarning }) };
  const places = { env, home, root };
  const { authFile } = options;
  const named = authFile || env["REGISTRY_AUTH_FILE"];
  const list = options.credentialHelpers;
  return [
    ...(named ? [dockerConfigSource(named, named, { ...shared, required: named === authFile })] : []),
    dockerAuthConfigSource(env, onWarning),
    gantryVariablesSource(env),
    hostVariablesSource(env, onWarning),
    ...(services ? [serviceVariablesSource(env, services.registry)] : []),
    ...(config ? [configSource(config.logins, config.origin, shared)] : []),
    registryJsonSource(places, shared),
    ...(list ? [helperListSource(list, "before files", helpers)] : []),
    ...(named ? [] : usualFiles(options, shared)),
    ...(list ? [helperListSource(list, "after files", helpers)] : []),
    ...(services ? [serviceVariablesSource(env, services.api)] : []),
    ...netrcFiles(env, home).map((file) => netrcSource(file, onWarning)),
    mountedSecretsSource({ ...shared, root, ...(kubernetes?.registry && { registry: kubernetes.registry }) }),
    ...(kubernetes?.pullSecrets
      ? [
          pullSecretsSource(kubernetes.pullSecrets, {
            ...places,
            ...(clock && { clock }),
            ...(onWarning && { onWarning }),
          }),
        ]
      : []),
  ];
}

/** Podman's files, then Docker's; or Docker's own in DOCKER_CONFIG, which replaces all others for both. */
function usualFiles({ env, home, root = "/", uid }: ChainOptions, options: DockerConfigOptions): CredentialSource[] {
  const file = (...parts: readonly string[]): CredentialSource => {
    const path = join(...parts);
    return dockerConfigSource(path, path, options);
  };
  if (env["DOCKER_CONFIG"]) return [file(env["DOCKER_CONFIG"], "config.json")];
  const runtime = env["XDG_RUNTIME_DIR"];
  const legacy = join(home, ".dockercfg");
  return [
    ...(runtime ? [file(runtime, "containers", "auth.json")] : []),
    ...(uid === undefined ? [] : [file(root, "run", "containers", String(uid), "auth.json")]),
    file(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers", "auth.json"),
    file(home, ".docker", "config.json"),
    dockerConfigSource(legacy, legacy, { ...options, form: "dockercfg" }),
  ];
}

function netrcFiles(env: Environment, home: string): readonly string[] {
  if (env["NETRC"]) return [env["NETRC"]];
  return [".netrc", ...(process.platform === "win32" ? ["_netrc"] : [])].map((name) => join(home, name));
}

/** Says each thing once. */
function once(onWarning: OnWarning): OnWarning {
  const said = new Set<string>();
  return (text, host) => {
    if (said.has(text)) return;
    said.add(text);
    onWarning(text, host);
  };
}
