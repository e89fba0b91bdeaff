import type { V1Secret } from "@kubernetes/client-node";
import { RegistryError } from "../oci/error.ts";
import type { Clock } from "../transport/clock.ts";
import { answers } from "./answers.ts";
import type { CredentialSource, OnWarning } from "./credential.ts";
import { parseDockerConfig, type AuthEntry } from "./docker-config.ts";
import { openKubeApi, type KubeApiOptions } from "./kube-api.ts";
import type { ClusterSettings } from "./kube-config.ts";
import { findPullSecret } from "./pull-secret.ts";

/** Which pull secrets of a cluster are used. */
export interface PullSecretSettings extends ClusterSettings {
  /** The context's, or the pod's own. */
  readonly namespace?: string;
  /** Whose `imagePullSecrets` are used; `default`. */
  readonly serviceAccount?: string;
  /** Secrets that are used before those. */
  readonly imagePullSecrets?: readonly string[];
}

export interface PullSecretOptions extends KubeApiOptions {
  readonly clock?: Clock;
  readonly onWarning?: OnWarning;
}

/** What one pull secret says. */
interface PullSecret {
  /** For people: which it is. */
  readonly at: string;
  readonly auths: ReadonlyMap<string, AuthEntry>;
}

/** Where the secrets of the two types that may be pull secrets have their logins. */
const types: Readonly<Record<string, { readonly key: string; readonly form: "config" | "dockercfg" }>> = {
  "kubernetes.io/dockerconfigjson": { key: ".dockerconfigjson", form: "config" },
  "kubernetes.io/dockercfg": { key: ".dockercfg", form: "dockercfg" },
};

/**
 * Logins from pull secrets, read through Kubernetes' API and kept for a minute: those named in the settings, then those of
 * the service account, as a pod would use them. Throws INVALID where there is no API, or it refuses, with the right that
 * lacks; TIMEOUT, NETWORK or UNAVAILABLE where it does not answer.
 */
export function pullSecretsSource(settings: PullSecretSettings, options: PullSecretOptions): CredentialSource {
  const known = answers<readonly PullSecret[]>(options.clock);
  return {
    name: "pull secrets of Kubernetes",
    async find(host, path, signal) {
      const warn = (text: string): void => options.onWarning?.(text, host);
      const secrets = await known.ask("", (stop) => readPullSecrets(settings, options, warn, stop), signal);
      for (const { auths, at } of secrets) {
        const credential = findPullSecret(auths, host, path, at);
        if (credential) return credential;
      }
      return undefined;
    },
  };
}

async function readPullSecrets(
  settings: PullSecretSettings,
  options: PullSecretOptions,
  warn: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly PullSecret[]> {
  const api = await openKubeApi(settings, options, signal);
  const { serviceAccount = "default", namespace = api.namespace, imagePullSecrets: named = [] } = settings;
  const account = await api.serviceAccount(serviceAccount, namespace);
  const own = account.imagePullSecrets?.flatMap(({ name }) => name ?? []) ?? [];
  const secrets: PullSecret[] = [];
  for (const name of new Set([...named, ...own])) {
    const at = `the secret ${namespace}/${name}`;
    const secret = await api.secret(name, namespace);
    const auths = secret && readPullSecret(secret, at);
    if (auths) secrets.push({ at, auths });
    else if (!secret && named.includes(name)) throw new RegistryError("INVALID", `${at} is not in ${api.server}`);
    else warn(`${at} is not used: ${secret ? `it is of the type ${secret.type}` : "it is not there"}`);
  }
  return secrets;
}

/** The logins of a secret; none where it is no pull secret. */
function readPullSecret({ type = "", data }: V1Secret, at: string): PullSecret["auths"] | undefined {
  if (!Object.hasOwn(types, type)) return undefined;
  const { key, form } = types[type]!;
  const encoded = data?.[key];
  if (encoded === undefined) throw new RegistryError("INVALID", `${at} has no ${key}`);
  return parseDockerConfig(Buffer.from(encoded, "base64").toString("utf8"), at, form).auths;
}
