import type { ConfigurationOptions, KubernetesListObject, KubernetesObject } from "@kubernetes/client-node";
import { openKube, statusOf, type Kube, type Wanted } from "../auth/kube-call.ts";
import type { ClusterPlaces, ClusterSettings } from "../auth/kube-config.ts";
import { RegistryError } from "../oci/error.ts";
import type { InUse } from "../plan/in-use.ts";
import { imagesIn } from "./images-in.ts";
import { distinct } from "./used-image.ts";

export interface ClusterOptions extends ClusterPlaces {
  readonly signal?: AbortSignal | undefined;
  /** These namespaces alone; all where none is named. */
  readonly namespaces?: readonly string[];
  /** How long one page of a list may take, in milliseconds; 60 seconds. */
  readonly timeout?: number;
  /** Objects a page; 500, as kubectl. */
  readonly pageSize?: number;
}

interface Page {
  readonly limit?: number;
  readonly _continue?: string;
}

type Listing<P> = (page: P, how: ConfigurationOptions) => Promise<KubernetesListObject<KubernetesObject>>;
type List = Listing<Page>;

/**
 * Who runs which image in a cluster, over all its namespaces or those that are named: what runs (pods, and what their runtimes say that they run),
 * what is to run (the workloads, whatever their size), and what they may go back to (replica sets and revisions). Throws where
 * any of it cannot be listed: an image of which nothing is known is not one that nobody uses.
 */
export async function usedInCluster(settings: ClusterSettings, options: ClusterOptions): Promise<readonly InUse[]> {
  const kube = await openKube(settings, options, options.signal);
  const where = settings.context === undefined ? kube.server : `context ${settings.context}`;
  const { namespaces = [] } = options;
  const used: InUse[] = [];
  for (const within of namespaces.length > 0 ? new Set(namespaces) : [undefined]) {
    if (within !== undefined) await expectNamespace(kube, within, options);
    for (const [kind, list] of Object.entries(lists(kube, within))) {
      for await (const object of pages(kube, wantedList(kind, within), list, options)) {
        const { namespace, name } = object.metadata ?? {};
        const by = `${titles[kind] ?? kind} ${namespace}/${name} (${where})`;
        used.push(...imagesIn(object, by));
      }
    }
  }
  return distinct(used);
}

/** Of a namespace that is not there, lists are empty. Who may list in it and not look at it is believed. */
async function expectNamespace(kube: Kube, name: string, { timeout = usualTimeout }: ClusterOptions): Promise<void> {
  const core = kube.config.makeApiClient(kube.client.CoreV1Api);
  const wanted: Wanted = {
    what: `namespace ${name}`,
    right: `a Role in ${name} with the verb get on namespaces`,
    absent: "mend the name, or leave it out",
  };
  await kube.call(wanted, { late: AbortSignal.timeout(timeout), timeout }, (how) =>
    core.readNamespace({ name }, how).catch((error: unknown) => {
      if (statusOf(error) !== 403) throw error;
    }),
  );
}

/** Milliseconds for one answer. */
const usualTimeout = 60_000;

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

function lists({ client, config }: Kube, namespace: string | undefined): Readonly<Record<string, List>> {
  const core = config.makeApiClient(client.CoreV1Api);
  const apps = config.makeApiClient(client.AppsV1Api);
  const batch = config.makeApiClient(client.BatchV1Api);
  const of = (all: List, own: Listing<Page & { readonly namespace: string }>): List =>
    namespace === undefined ? all : (page, how) => own({ ...page, namespace }, how);
  return {
    pods: of(
      (page, how) => core.listPodForAllNamespaces(page, how),
      (page, how) => core.listNamespacedPod(page, how),
    ),
    replicationcontrollers: of(
      (page, how) => core.listReplicationControllerForAllNamespaces(page, how),
      (page, how) => core.listNamespacedReplicationController(page, how),
    ),
    podtemplates: of(
      (page, how) => core.listPodTemplateForAllNamespaces(page, how),
      (page, how) => core.listNamespacedPodTemplate(page, how),
    ),
    deployments: of(
      (page, how) => apps.listDeploymentForAllNamespaces(page, how),
      (page, how) => apps.listNamespacedDeployment(page, how),
    ),
    replicasets: of(
      (page, how) => apps.listReplicaSetForAllNamespaces(page, how),
      (page, how) => apps.listNamespacedReplicaSet(page, how),
    ),
    statefulsets: of(
      (page, how) => apps.listStatefulSetForAllNamespaces(page, how),
      (page, how) => apps.listNamespacedStatefulSet(page, how),
    ),
    daemonsets: of(
      (page, how) => apps.listDaemonSetForAllNamespaces(page, how),
      (page, how) => apps.listNamespacedDaemonSet(page, how),
    ),
    controllerrevisions: of(
      (page, how) => apps.listControllerRevisionForAllNamespaces(page, how),
      (page, how) => apps.listNamespacedControllerRevision(page, how),
    ),
    jobs: of(
      (page, how) => batch.listJobForAllNamespaces(page, how),
      (page, how) => batch.listNamespacedJob(page, how),
    ),
    cronjobs: of(
      (page, how) => batch.listCronJobForAllNamespaces(page, how),
      (page, how) => batch.listNamespacedCronJob(page, how),
    ),
  };
}

interface WantedList extends Wanted {
  readonly kind: string;
}

const wantedList = (kind: string, namespace: string | undefined): WantedList => ({
  kind,
  what: `the list of all ${kind}${namespace === undefined ? "" : ` in namespace ${namespace}`}`,
  right: `a ${namespace === undefined ? "ClusterRole" : `Role in ${namespace}`} with the verb list on ${kind}`,
  absent: `the cluster is too old, or no Kubernetes: it has no ${kind}`,
});

async function* pages(
  kube: Kube,
  wanted: WantedList,
  list: List,
  { timeout = usualTimeout, pageSize = 500 }: ClusterOptions,
): AsyncGenerator<KubernetesObject, void> {
  const notKubernetes = (what: string): RegistryError =>
    new RegistryError("INVALID", `Kubernetes' API at ${kube.server} ${what} ${wanted.kind}`);
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
