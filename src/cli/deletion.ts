import {
  isAbsent,
  isRegistryError,
  RegistryError,
  type Client,
  type Digest,
  type Opened,
  type OpenService,
} from "../index.ts";
import type { Cli } from "./cli.ts";

/** One thing that goes. */
export interface Step {
  readonly kind: "tag" | "manifest";
  readonly reference: string;
  readonly digest: Digest;
  readonly artifactType?: string;
  /** The tags that go with a manifest. */
  readonly tags?: readonly string[];
}

/** What goes with a tag or digest, in this order. */
export interface Deletion {
  readonly name: string;
  readonly digest: Digest;
  /** Whether it was done, or only shown. */
  readonly done: boolean;
  readonly steps: readonly Step[];
  /** Tags of the same image that stay. */
  readonly kept: readonly string[];
}

/** What did not go, and why. */
export interface Failure {
  readonly reference: string;
  readonly error: RegistryError;
}

/** What went, and what did not. */
interface Outcome {
  readonly steps: readonly Step[];
  readonly failures: readonly Failure[];
}

/**
 * Deletes what a plan names: by the service of its registry where that is known without asking, else by the distribution
 * API. What is last in the plan, on which all before it hangs, stays where any of that does.
 */
export async function carryOut(client: Client, opened: Opened, plan: Deletion, cli: Cli): Promise<Outcome> {
  const { store, location } = opened;
  const { signal } = cli;
  const known = location.transport === "registry" ? await client.knownService(location.reference.registry) : undefined;
  const [first] = plan.steps;
  if (first?.kind === "tag") {
    await deleteTag(client, opened, first, known, cli).catch((error: unknown) => {
      if (known?.provider.abilities.deleteManifests.how === "impossible") throw error;
      throwWithWayOut(error, opened, plan);
    });
    await store.flush({ signal });
    return { steps: plan.steps, failures: [] };
  }
  const outcome = await deleteManifests(opened, plan.steps, known, cli);
  await store.flush({ signal });
  return outcome;
}

/** Takes one tag away; where the distribution API cannot, the registry is asked which service it is. */
async function deleteTag(
  client: Client,
  { store, location }: Opened,
  step: Step,
  known: OpenService | undefined,
  { signal }: Cli,
): Promise<void> {
  const tag = step.reference.slice(store.name.length + 1);
  if (location.transport !== "registry") return store.deleteTag(tag, { signal });
  const { registry, repository } = location.reference;
  if (known) return known.deleteTag(repository, tag, { signal });
  try {
    await store.deleteTag(tag, { signal });
  } catch (refusal) {
    if (!isRegistryError(refusal, "UNSUPPORTED")) throw refusal;
    const service = await client.service(registry, { signal }).catch(() => undefined);
    if (service?.provider.abilities.deleteTag.how !== "native") throw refusal;
    await service.deleteTag(repository, tag, { signal });
  }
}

/** Deletes all but the last, in batches where the service has them, and if they went, the last. */
async function deleteManifests(
  opened: Opened,
  steps: readonly Step[],
  known: OpenService | undefined,
  cli: Cli,
): Promise<Outcome> {
  const batches = [steps.slice(0, -1), steps.slice(-1)];
  const gone: Step[] = [];
  const failures: Failure[] = [];
  for (const batch of batches) {
    if (batch.length === 0 || failures.length > 0) continue;
    for await (const { digest, error } of deletionsOf(opened, batch, known, cli)) {
      const step = batch.find((one) => one.digest === digest);
      if (step && error) failures.push({ reference: step.reference, error });
      else if (step) gone.push(step);
    }
  }
  return { steps: gone, failures };
}

type Deleted = AsyncIterable<{ readonly digest: Digest; readonly error?: RegistryError }>;

function deletionsOf(
  { store, location }: Opened,
  batch: readonly Step[],
  known: OpenService | undefined,
  { signal }: Cli,
): Deleted {
  const digests = batch.map(({ digest }) => digest);
  if (known && location.transport === "registry") {
    return known.deleteManifests(location.reference.repository, digests, { signal });
  }
  return oneByOne(digests, (digest) => store.deleteManifest(digest, { signal }));
}

/** In their order: what hangs on another goes before it. What is gone already may stay so. */
async function* oneByOne(digests: readonly Digest[], work: (digest: Digest) => Promise<void>): Deleted {
  for (const digest of digests) {
    try {
      await work(digest);
      yield { digest };
    } catch (error) {
      if (!isRegistryError(error) || error.code === "ABORTED") throw error;
      yield isAbsent(error) ? { digest } : { digest, error };
      if (!isAbsent(error)) return;
    }
  }
}

/** Where one tag cannot go alone, says what deleting the digest would take along. */
function throwWithWayOut(error: unknown, { store }: Opened, { digest, kept }: Deletion): never {
  if (!isRegistryError(error, "UNSUPPORTED")) throw error;
  const also =
    kept.length > 0 ? `, which would delete the ${kept.length > 1 ? "tags" : "tag"} ${kept.join(", ")} too` : "";
  const { message, host, status } = error;
  throw new RegistryError("UNSUPPORTED", message, {
    ...(host && { host }),
    ...(status && { status }),
    cause: error,
    hint: `nothing was deleted; there is: gantry delete ${store.name}@${digest}${also}`,
  });
}
