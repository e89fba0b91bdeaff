import type { V1Secret, V1ServiceAccount } from "@kubernetes/client-node";
import type { ClusterPlaces, ClusterSettings } from "./kube-config.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import { openKube, statusOf, type Kube, type Wanted } from "./kube-call.ts";

/** What is asked of Kubernetes' API. */
export interface KubeApi {
  /** Its address, for people. */
  readonly server: string;
  /** The namespace to look into where none is asked for. */
  readonly namespace: string;
  serviceAccount(name: string, namespace: string): Promise<V1ServiceAccount>;
  /** A secret; none is `undefined`. */
  secret(name: string, namespace: string): Promise<V1Secret | undefined>;
}

export interface KubeApiOptions extends ClusterPlaces {
  /** How long all of it may take, in milliseconds; 15 seconds. */
  readonly timeout?: number;
}

/** Finds Kubernetes' API; nothing is sent yet. Throws INVALID where there is none, or no client for it. */
export async function openKubeApi(
  settings: ClusterSettings,
  options: KubeApiOptions,
  signal: AbortSignal,
): Promise<KubeApi> {
  const { timeout = 15_000 } = options;
  const late = AbortSignal.timeout(timeout);
  const kube = await openKube(settings, options, signal);
  const api = kube.config.makeApiClient(kube.client.CoreV1Api);
  const within = { late, timeout };
  return {
    server: kube.server,
    namespace: kube.namespace,
    serviceAccount: (name, at) =>
      call(kube, wanted("serviceaccounts", `service account ${at}/${name}`, at), within, (how) =>
        api.readNamespacedServiceAccount({ name, namespace: at }, how),
      ),
    secret: (name, at) =>
      call(kube, wanted("secrets", `secret ${at}/${name}`, at), within, (how) =>
        api.readNamespacedSecret({ name, namespace: at }, how).catch((error: unknown) => {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }),
      ),
  };
}

/** Who may not read a login has settings that are wrong: it is no registry that refuses. */
const call = <T>(kube: Kube, ...[what, within, work]: Parameters<typeof kube.call<T>>): Promise<T> =>
  kube.call(what, within, work).catch((error: unknown) => {
    if (!isRegistryError(error, "UNAUTHORIZED", "DENIED")) throw error;
    throw new RegistryError("INVALID", error.message, { cause: error, ...(error.hint && { hint: error.hint }) });
  });

const wanted = (kind: string, object: string, namespace: string): Wanted => ({
  what: `the ${object}`,
  right: `a Role in ${namespace} with the verb get on ${kind}`,
  absent: "name another namespace or service account",
});
