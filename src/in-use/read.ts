import { readFile } from "node:fs/promises";
import type { ClusterPlaces } from "../auth/kube-config.ts";
import { doing } from "../files/file-error.ts";
import type { InUseFound } from "./used-image.ts";

/** Where it is said which images are in use. */
export interface InUseSources {
  /** Contexts of the kubeconfig; `current` is the one that kubectl uses, in a pod the cluster that it runs in. */
  readonly kubernetes?: readonly string[];
  /** Of each of them, these namespaces alone; all where none is named. */
  readonly namespaces?: readonly string[];
  /** The kubeconfig, in place of the usual ones. */
  readonly kubeconfig?: string;
  /** Files of references, or of Kubernetes' objects. */
  readonly files?: readonly string[];
  /** Compose files. */
  readonly compose?: readonly string[];
}

/**
 * Reads which images are in use, for `rootsInUse`. What cannot be read in full throws, so that nothing is deleted for want of
 * knowledge: INVALID, UNAUTHORIZED, DENIED, NETWORK, UNAVAILABLE or TIMEOUT, naming the place.
 */
export async function readInUse(
  { kubernetes = [], namespaces = [], kubeconfig, files = [], compose = [] }: InUseSources,
  { signal, ...places }: ClusterPlaces & { readonly signal?: AbortSignal },
): Promise<InUseFound> {
  const [{ usedInCluster }, { parseUsed }, { usedInCompose }] = await Promise.all([
    import("./kubernetes.ts"),
    import("./list.ts"),
    import("./compose.ts"),
  ]);
  const clusters = [...new Set(kubernetes)].map((context) =>
    usedInCluster(
      { ...(context !== "current" && { context }), ...(kubeconfig !== undefined && { kubeconfig }) },
      { ...places, signal, namespaces },
    ),
  );
  const lists = files.map(async (file) => parseUsed(await doing(`read ${file}`, () => readFile(file, "utf8")), file));
  const composed = compose.map((file) => usedInCompose(file, places.env));
  const [inClusters, inFiles, inCompose] = await Promise.all([
    Promise.all(clusters),
    Promise.all(lists),
    Promise.all(composed),
  ]);
  return {
    used: [...inClusters, ...[...inFiles, ...inCompose].map(({ used }) => used)].flat(),
    notes: [...inFiles, ...inCompose].flatMap(({ notes }) => notes),
  };
}
