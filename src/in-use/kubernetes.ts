import type { ConfigurationOptions, KubernetesListObject, KubernetesObject } from "@kubernetes/client-node";
import { openKube, statusOf, type Kube } from "../auth/kube-call.ts";
import type { ClusterPlaces, ClusterSettings } from "../auth/kube-config.ts";
import { RegistryError } from "../oci/error.ts";
import type { InUse } from "../plan/in-use.ts";
import { imagesIn } from "./images-in.ts";
import { distinct, usedImage } from "./used-image.ts";

export interface ClusterOptions extends ClusterPlaces {
  readonly signal?: AbortSignal | undefined;
  /** How long one page of a list may take, in milliseconds; 60 seconds. */
  readonly timeout?: number;
  /** Objects a page; 500, as kubectl. */
  readonly pageSize?: number;
}

type List = (
  page: { readonly limit?: number; readonly _continue?: string },
  how: ConfigurationOptions,
) => Promise<KubernetesListObject<KubernetesObject>>;

/**
 * Who runs which image in a cluster, over all its namespaces: what runs (pods, and what their runtimes say that they run),
 * what is to run (the workloads, whatever their size), and what they may go back to (replica sets and revisions). Throws where
 * any of it cannot be listed: an image of which nothing is known is not one that nobody uses.
 */
export async function usedInCluster(settings: ClusterSettings, options: ClusterOptions): Promise<readonly InUse[]> {
  const kube = await openKube(settings, options, options.signal);
  const where = settings.context === undefined ? kube.server : `context ${settings.context}`;
  const used: InUse[] = [];
  for (const [kind, list] of Object.entries(lists(kube))) {
    for await (const object of pages(kube, kind, list, options)) {
      const { namespace, name } = object.metadata ?? {};
      const by = `${titles[kind] ?? kind} ${namespace}/${name} (${where})`;
      used.push(...imagesIn(object).map(({ text }) => usedImage(text, by)));
    }
  }
  return distinct(used);
}

const titles: Readonly<Record<string, string>> = {
  pods: "pod",
  replicationcontrollers: "replication controller",
  podtemplates: "pod template",
  deployments: "deployment",
  replicasets: "replica set",
  statefulsets: "stateful set",
  daemonsets: "daemon set",
  controllerrevisions: "controller revision",
  jobs: "job",
  cronjobs: "cron job",
};

function lists({ client, config }: Kube): Readonly<Record<string, List>> {
  const core = config.makeApiClient(client.CoreV1Api);
  const apps = config.makeApiClient(client.AppsV1Api);
  const batch = config.makeApiClient(client.BatchV1Api);
  return {
    pods: (page, how) => core.listPodForAllNamespaces(page, how),
    replicationcontrollers: (page, how) => core.listReplicationControllerForAllNamespaces(page, how),
    podtemplates: (page, how) => core.listPodTemplateForAllNamespaces(page, how),
    deployments: (page, how) => apps.listDeploymentForAllNamespaces(page, how),
    replicasets: (page, how) => apps.listReplicaSetForAllNamespaces(page, how),
    statefulsets: (page, how) => apps.listStatefulSetForAllNamespaces(page, how),
    daemonsets: (page, how) => apps.listDaemonSetForAllNamespaces(page, how),
    controllerrevisions: (page, how) => apps.listControllerRevisionForAllNamespaces(page, how),
    jobs: (page, how) => batch.listJobForAllNamespaces(page, how),
    cronjobs: (page, how) => batch.listCronJobForAllNamespaces(page, how),
  };
}

async function* pages(
  kube: Kube,
  kind: string,
  list: List,
  { timeout = 60_000, pageSize = 500 }: ClusterOptions,
): AsyncGenerator<KubernetesObject, void> {
  const wanted = {
    what: `the list of all ${kind}`,
    right: `a ClusterRole with the verb list on ${kind}`,
    absent: `the cluster is too old, or no Kubernetes: it has no ${kind}`,
  };
  const notKubernetes = (what: string): RegistryError =>
    new RegistryError("INVALID", `Kubernetes' API at ${kube.server} ${what} ${kind}`);
  let token: string | undefined;
  do {
    const page = { limit: pageSize, ...(token !== undefined && { _continue: token }) };
    const { items, metadata } = await kube.call(wanted, { late: AbortSignal.timeout(timeout), timeout }, (how) =>
      list(page, how).catch((error: unknown) => {
        // The rest of the list is too old by now: it is asked for once more, whole.
        if (statusOf(error) === 410) return list({}, how);
        throw error;
      }),
    );
    if (!Array.isArray(items)) throw notKubernetes("answers with no list of");
    yield* items;
    const next = metadata?._continue || undefined;
    if (next !== undefined && next === token) {
      throw notKubernetes("goes round in circles in its list of");
    }
    token = next;
  } while (token !== undefined);
}
