import type { ConfigurationOptions } from "@kubernetes/client-node";
import { RegistryError } from "../oci/error.ts";
import { fileError } from "../files/file-error.ts";
import { aborted } from "../transport/clock.ts";
import {
  findCluster,
  loadClient,
  type Client,
  type Cluster,
  type ClusterPlaces,
  type ClusterSettings,
} from "./kube-config.ts";
import { loginProgram } from "./kube-program.ts";
import { until } from "./until.ts";

/** What is asked for, in words. */
export interface Wanted {
  /** `the secret team/one`. */
  readonly what: string;
  /** What whoever asks needs to see it: `a Role in team with the verb get on secrets`. */
  readonly right: string;
  /** The way out where it is not there. */
  readonly absent: string;
}

/** Until when an answer has to be there, and how many milliseconds that was at first. */
export interface Within {
  readonly late: AbortSignal;
  readonly timeout: number;
}

/** A cluster's API, and the one way to call it. */
export interface Kube extends Cluster {
  readonly client: Client;
  /**
   * Awaits an answer. Throws UNAUTHORIZED or DENIED where it is refused, with the right that lacks; INVALID where it is none;
   * TIMEOUT, NETWORK or UNAVAILABLE where none comes. Nothing that is thrown quotes the API.
   */
  call<T>(wanted: Wanted, within: Within, work: (how: ConfigurationOptions) => Promise<T>): Promise<T>;
}

/** Finds a cluster's API; nothing is sent yet. Throws INVALID where there is none, or no client for it. */
export async function openKube(
  settings: ClusterSettings,
  places: ClusterPlaces,
  signal: AbortSignal | undefined,
): Promise<Kube> {
  const client = await loadClient();
  const cluster = await findCluster(client, settings, places);
  const { config, server, login } = cluster;
  const logIn = loginProgram(config);
  let loginEnds = 0;
  return {
    ...cluster,
    client,
    async call(wanted, { late, timeout }, work) {
      const deadline = AbortSignal.any(signal ? [signal, late] : [late]);
      try {
        if (logIn && Date.now() >= loginEnds) loginEnds = await logIn({ env: places.env, timeout, signal: deadline });
        return await until(work(withSignal(client, deadline)), deadline);
      } catch (error) {
        if (signal?.aborted) throw aborted(signal);
        if (late.aborted) {
          throw new RegistryError(
            "TIMEOUT",
            `Kubernetes' API at ${server} did not answer within ${timeout / 1000} seconds`,
            { retryable: true, hint: `look at the way there, and at ${login}` },
          );
        }
        throw explainFault(error, wanted, cluster);
      }
    },
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
function explainFault(
  error: unknown,
  { what, right, absent }: Wanted,
  { server, where, login }: Cluster,
): RegistryError {
  const status = statusOf(error);
  if (status === 401) {
    return new RegistryError("UNAUTHORIZED", `Kubernetes' API at ${server} does not know who asks (401)`, {
      hint: "log in to the cluster, or choose another context",
    });
  }
  if (status === 403) {
    return new RegistryError("DENIED", `Kubernetes' API at ${server} does not show ${what} (403)`, {
      hint: `give whoever Gantry runs as ${right}`,
    });
  }
  if (status === 404) {
    return new RegistryError("INVALID", `there is no ${what.replace(/^the /, "")} in ${server}`, {
      hint: absent,
    });
  }
  if (status !== undefined) {
    const code = status >= 500 || status === 429 ? "UNAVAILABLE" : "INVALID";
    const message = `Kubernetes' API at ${server} answered ${status} to a request for ${what}`;
    return new RegistryError(code, message, { retryable: code === "UNAVAILABLE" });
  }
  const cause = error instanceof TypeError ? error.cause : undefined;
  if (cause instanceof Error) {
    const why = "code" in cause ? String(cause.code) : cause.message;
    return new RegistryError("NETWORK", `Kubernetes' API at ${server} cannot be reached (${why})`, {
      retryable: true,
      cause,
      hint: /CERT|SIGNED|VERIFY/.test(why)
        ? `look at the certificate-authority of its cluster in ${where}`
        : "see whether it is up, and whether this machine may reach it",
    });
  }
  const reason = fileReason(error);
  return new RegistryError(
    "INVALID",
    `Kubernetes' API at ${server} cannot be asked for ${what}${reason && `: ${reason}`}`,
    {
      hint: reason === "" ? `look at ${login}` : `${where} names it`,
    },
  );
}

/** Which file could not be read, or run: its name is from the kubeconfig, and its text in no message. */
function fileReason(error: unknown): string {
  const { path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (path === undefined || syscall === undefined) return "";
  const told = fileError(error, `${syscall.startsWith("spawn") ? "run" : "read"} ${path}`);
  return told instanceof Error ? told.message : "";
}

/** The HTTP status of what the client threw, if it is one. */
export function statusOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof Error && typeof code === "number" ? code : undefined;
}
