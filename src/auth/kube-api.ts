import type { ConfigurationOptions, V1Secret, V1ServiceAccount } from "@kubernetes/client-node";
import { RegistryError } from "../oci/error.ts";
import { aborted } from "../transport/clock.ts";
import { findCluster, loadClient, type Client, type ClusterPlaces, type ClusterSettings } from "./kube-config.ts";
import { until } from "./until.ts";

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

/** The object that is asked for. */
interface Wanted {
  readonly kind: "secrets" | "serviceaccounts";
  readonly name: string;
  readonly namespace: string;
}

/** Finds Kubernetes' API; nothing is sent yet. Throws INVALID where there is none, or no client for it. */
export async function openKubeApi(
  settings: ClusterSettings,
  options: KubeApiOptions,
  signal: AbortSignal,
): Promise<KubeApi> {
  const client = await loadClient();
  const { config, server, namespace } = await findCluster(client, settings, options);
  const { timeout = 15_000 } = options;
  const late = AbortSignal.timeout(timeout);
  const deadline = AbortSignal.any([signal, late]);
  const api = config.makeApiClient(client.CoreV1Api);
  const how = withSignal(client, deadline);
  const call = async <T>(wanted: Wanted, answer: Promise<T>): Promise<T> => {
    try {
      return await until(answer, deadline);
    } catch (error) {
      if (signal.aborted) throw aborted(signal);
      if (late.aborted) {
        throw new RegistryError(
          "TIMEOUT",
          `Kubernetes' API at ${server} did not answer within ${timeout / 1000} seconds`,
          {
            retryable: true,
          },
        );
      }
      throw explainFault(error, wanted, server);
    }
  };
  return {
    server,
    namespace,
    serviceAccount: (name, within) =>
      call(
        { kind: "serviceaccounts", name, namespace: within },
        api.readNamespacedServiceAccount({ name, namespace: within }, how),
      ),
    secret: (name, within) =>
      call(
        { kind: "secrets", name, namespace: within },
        api.readNamespacedSecret({ name, namespace: within }, how).catch((error: unknown) => {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }),
      ),
  };
}

/** The client takes a signal in no other way. */
function withSignal({ Observable }: Client, signal: AbortSignal): ConfigurationOptions {
  return {
    middleware: [
      {
        pre(request) {
          request.setSignal(signal);
          return new Observable(Promise.resolve(request));
        },
        post: (response) => new Observable(Promise.resolve(response)),
      },
    ],
    middlewareMergeStrategy: "append",
  };
}

/** What the client throws quotes what the API sent, which may be secret: it is not passed on but for failures of the network. */
function explainFault(error: unknown, { kind, name, namespace }: Wanted, server: string): RegistryError {
  const status = statusOf(error);
  const object = `${kind === "secrets" ? "secret" : "service account"} ${namespace}/${name}`;
  if (status === 401) {
    return new RegistryError("INVALID", `Kubernetes' API at ${server} does not know who asks (401)`, {
      hint: "log in to the cluster, or choose another context",
    });
  }
  if (status === 403) {
    return new RegistryError("INVALID", `Kubernetes' API at ${server} does not show the ${object} (403)`, {
      hint: `give whoever Gantry runs as a Role in ${namespace} with the verb get on ${kind}`,
    });
  }
  if (status === 404) {
    return new RegistryError("INVALID", `there is no ${object} in ${server}`, {
      hint: "name another namespace or service account",
    });
  }
  if (status !== undefined) {
    const code = status >= 500 || status === 429 ? "UNAVAILABLE" : "INVALID";
    const message = `Kubernetes' API at ${server} answered ${status} to a request for the ${object}`;
    return new RegistryError(code, message, { retryable: code === "UNAVAILABLE" });
  }
  const cause = error instanceof TypeError ? error.cause : undefined;
  if (cause instanceof Error) {
    const why = "code" in cause ? String(cause.code) : cause.message;
    return new RegistryError("NETWORK", `Kubernetes' API at ${server} cannot be reached (${why})`, {
      retryable: true,
      cause,
    });
  }
  return new RegistryError("INVALID", `Kubernetes' API at ${server} cannot be asked for the ${object}`, {
    hint: "look at the user of the kubeconfig's context, and at what it runs or reads to log in",
  });
}

function statusOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof Error && typeof code === "number" ? code : undefined;
}
