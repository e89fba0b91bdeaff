import { rm, stat } from "node:fs/promises";
import { copier, type CopyEvent } from "../graph/copy.ts";
import { semaphore } from "../graph/semaphore.ts";
import { isAbort } from "../graph/sides.ts";
import type { Digest } from "../oci/digest.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { parsePlatform } from "../oci/platform.ts";
import { doing, rejectSpecial } from "../files/file-error.ts";
import { withLock } from "../files/lock.ts";
import { realPath } from "../files/real-path.ts";
import type { CopyImage, Plan } from "../plan/plan.ts";
import { layoutStore } from "../store/layout.ts";
import type { Call, Store } from "../store/store.ts";
import { gather, type Gathered } from "./gather.ts";
import { placeOfImage, type BundledImage, type BundleManifest } from "./manifest.ts";
import { pack } from "./pack.ts";
import { bundleManifest } from "./read.ts";
import { emptyHeld, type Holdings } from "./record.ts";

export interface WriteBundleOptions extends Call {
  /** Opens the place that a step is read from. */
  readonly open: (from: string) => Store;
  /** What the destinations have: blobs that are there are left out. */
  readonly have?: Holdings;
  /** How many images at a time; 4. */
  readonly jobs?: number;
  /** Bytes a second, over all images. */
  readonly limitRate?: number;
  readonly onEvent?: (event: CopyEvent) => void;
}

/** What was written; images that failed are not in it. */
export interface WrittenBundle {
  readonly manifest: BundleManifest;
  readonly failures: readonly { readonly at: string; readonly error: unknown }[];
}

interface Done {
  readonly step: CopyImage;
  readonly gathered: Gathered;
  /** What the destination's tag is to name: another digest than the step's where platforms were chosen. */
  readonly root: Digest;
}

const atOnce = 4;

/**
 * Writes the copies of a plan into a bundle at `path`. What is fetched is kept in the folder `PATH.part` until the bundle is
 * complete: killed and run again, it goes on with what is missing there. Throws what stopped the first image where none could
 * be fetched, and INVALID where something else than a bundle is at `path`.
 */
export async function writeBundle(plan: Plan, to: string, options: WriteBundleOptions): Promise<WrittenBundle> {
  const path = realPath(to);
  const folder = `${path}.part`;
  return doing(`write ${to}`, () =>
    withLock(`${path}.lock`, { what: to, timeout: 0, ...(options.signal && { signal: options.signal }) }, async () => {
      await expectBundle(path, options);
      const stage = layoutStore(folder);
      const { done, failures } = await fetchAll(plan, stage, options);
      if (done.length === 0 && failures.length > 0) {
        throw nothingFetched(to, failures[0]!.error);
      }
      const load = loadOf(plan, done, options.have);
      await pack(path, stage, load, options);
      await rm(folder, { recursive: true, force: true });
      return { manifest: load.manifest, failures };
    }),
  );
}

/** A file that is something else would be lost. */
async function expectBundle(path: string, call: Call): Promise<void> {
  await rejectSpecial(path);
  const found = await stat(path).catch(() => undefined);
  if (!found || found.size === 0) return;
  try {
    await bundleManifest(path, call);
  } catch (cause) {
    if (!isRegistryError(cause, "CORRUPT", "INVALID", "TOO_LARGE", "UNSUPPORTED")) throw cause;
    throw new RegistryError("INVALID", `${path} is there already, and is no bundle: ${cause.message}`, {
      cause,
      hint: `write to another file, or remove ${path} first`,
    });
  }
}

function nothingFetched(to: string, cause: unknown): unknown {
  if (!isRegistryError(cause)) return cause;
  const { hint, side, host, status, retryable } = cause;
  return new RegistryError(cause.code, `nothing could be fetched for ${to}: ${cause.message}`, {
    cause,
    retryable,
    ...(hint && { hint }),
    ...(side && { side }),
    ...(host && { host }),
    ...(status && { status }),
  });
}

async function fetchAll(
  plan: Plan,
  stage: Store,
  options: WriteBundleOptions,
): Promise<{ readonly done: readonly Done[]; readonly failures: WrittenBundle["failures"] }> {
  const room = semaphore(options.jobs ?? atOnce);
  const holders = holdersIn(options.have);
  const failures: { at: string; error: unknown }[] = [];
  const fetched = plan.steps
    .filter((step) => step.do === "copy")
    .map((step) =>
      room(async (): Promise<Done | undefined> => {
        try {
          return await fetchOne(step, stage, holders, options);
        } catch (error) {
          if (isAbort(error) || options.signal?.aborted) throw error;
          failures.push({ at: step.at, error });
          return undefined;
        }
      }),
    );
  const settled = await Promise.allSettled(fetched);
  const broken = settled.find((one) => one.status === "rejected");
  if (broken) throw broken.reason;
  const done = settled.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  return { done, failures };
}

/** By registry and blob, a repository that has it. */
type Holders = ReadonlyMap<string, string>;

function holdersIn(have: Holdings | undefined): Holders {
  const holders = new Map<string, string>();
  for (const [place, { blobs }] of Object.entries(have?.repositories ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const registry = place.slice(0, place.indexOf("/"));
    for (const blob of Object.keys(blobs)) {
      const key = `${registry} ${blob}`;
      if (!holders.has(key)) holders.set(key, place);
    }
  }
  return holders;
}

async function fetchOne(step: CopyImage, stage: Store, holders: Holders, options: WriteBundleOptions): Promise<Done> {
  const { place, tag } = placeOfImage(step.at);
  const held = options.have?.repositories[place] ?? emptyHeld;
  const registry = place.slice(0, place.indexOf("/"));
  const gathered = gather(stage, step.at, tag, { held, elsewhere: (blob) => holders.get(`${registry} ${blob}`) });
  const { signal, limitRate, onEvent } = options;
  const copy = copier(options.open(step.from), [{ store: gathered.store }], {
    referrers: step.referrers ?? true,
    ...(step.platforms && { platforms: step.platforms.map(parsePlatform) }),
    ...(signal && { signal }),
    ...(limitRate !== undefined && { limitRate }),
    ...(onEvent && { onEvent }),
  });
  const [outcome] = await copy.copy(step.digest, tag);
  if (!outcome || !("result" in outcome)) throw outcome?.error ?? new Error("nothing was copied");
  return { step, gathered, root: outcome.result.digest };
}

/** All images as one load; of several with one name, the first counts. */
function loadOf(plan: Plan, done: readonly Done[], have: Holdings | undefined): Parameters<typeof pack>[2] {
  const blobs = new Map<Digest, number>();
  const manifests = new Map<Digest, Manifest>();
  const names = new Map<string, Digest>();
  const images = done.map(({ step, gathered, root }): BundledImage => {
    const { place, tag } = placeOfImage(step.at);
    const fresh = [...gathered.blobs].filter(([digest]) => !blobs.has(digest));
    for (const [digest, size] of fresh) blobs.set(digest, size);
    for (const [digest, manifest] of gathered.manifests) manifests.set(digest, manifest);
    const parts = gathered.parts();
    if (tag !== undefined) names.set(`${place}:${tag}`, root);
    for (const [name, digest] of Object.entries(parts.digestTags)) names.set(`${place}:${name}`, digest);
    const known = have && tag !== undefined ? (have.repositories[place]?.tags[tag] ?? null) : undefined;
    return {
      at: tag === undefined ? `${place}@${root}` : step.at,
      digest: root,
      ...(known !== undefined && { before: known }),
      ...parts,
      bytes: fresh.reduce((sum, [, size]) => sum + size, 0),
    };
  });
  const { made, from } = plan;
  const manifest = { version: 1, kind: "bundle", made, ...(from !== undefined && { from }), images } as const;
  return { manifest, blobs, manifests, names };
}
