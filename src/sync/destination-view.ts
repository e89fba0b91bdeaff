import type { Client } from "../client.ts";
import type { Attachment } from "../graph/attachments.ts";
import type { Semaphore } from "../graph/semaphore.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent, isBroken } from "../oci/error.ts";
import type { Destination } from "../policy/sync/state.ts";
import type { Call } from "../store/store.ts";

/** A place that is written to, as it is read for a plan; its tags are listed once. */
export interface DestinationView {
  /** Whether it costs nothing to look there: what was found before is not gone by. */
  readonly isLocal: boolean;
  /** Whether it is one image, whatever that is called. */
  readonly isImage: boolean;
  tags(): Promise<ReadonlySet<string> | undefined>;
  /** What a tag or digest names there; null where it is not there, or cannot be read and is to be put anew. */
  now(ref: string): Promise<Digest | null>;
  /** How many of these are not there as they are at the source. */
  missing(attached: readonly Attachment[]): Promise<number>;
  /** What was found out; undefined where nothing was asked. */
  state(): Promise<Destination | undefined>;
}

export function destinationView(client: Client, place: string, room: Semaphore, call: Call): DestinationView {
  const { store, location } = client.open(place);
  let listed: Promise<ReadonlySet<string> | "absent" | undefined> | undefined;
  const list = (): NonNullable<typeof listed> =>
    (listed ??= room(async () => {
      try {
        return new Set(await Array.fromAsync(store.tags(call)));
      } catch (error) {
        if (call.signal?.aborted) throw error;
        return isAbsent(error) ? "absent" : undefined;
      }
    }));
  const tags = async (): Promise<ReadonlySet<string> | undefined> => {
    const known = await list();
    return known === "absent" ? new Set<string>() : known;
  };
  const now = async (ref: string): Promise<Digest | null> => {
    if ((await list()) === "absent") return null;
    try {
      return (await room(() => store.head(ref, call)))?.digest ?? null;
    } catch (error) {
      if (isAbsent(error) || isBroken(error)) return null;
      throw error;
    }
  };
  /** Whether somebody has to make the repository before a push. */
  const needsCreation = async (): Promise<boolean> => {
    if (location.transport !== "registry") return false;
    try {
      const { provider } = await client.service(location.reference.registry, call);
      return provider.quirks.createOnPush !== "yes" && provider.abilities.createRepository.how !== "impossible";
    } catch (error) {
      if (call.signal?.aborted) throw error;
      return false; // The push will tell what is wrong.
    }
  };
  return {
    isLocal: location.transport !== "registry",
    isImage: location.transport === "dir",
    tags,
    now,
    async missing(attached) {
      const known = await tags();
      const lost = attached.map(async ({ descriptor, tag }) => {
        if (tag !== undefined && known && !known.has(tag)) return true;
        return (await now(tag ?? descriptor.digest)) !== descriptor.digest;
      });
      return (await Promise.all(lost)).filter(Boolean).length;
    },
    async state() {
      if (!listed) return undefined;
      const known = await list();
      if (known !== "absent") return { is: "there", ...(known && { tags: known }) };
      return { is: (await needsCreation()) ? "create" : "absent", tags: new Set() };
    },
  };
}
