import type { Digest } from "../../oci/digest.ts";
import { isAbsent, isRegistryError, RegistryError } from "../../oci/error.ts";
import { isIndexType } from "../../oci/media-types.ts";
import type { Call, Store } from "../../store/store.ts";
import { inOrder } from "../in-order.ts";
import type { Deletion } from "../service.ts";
import type { TagsList } from "./tags-list.ts";

/** What is deleted with. */
export interface Deleter {
  readonly store: Store;
  /** What the image has; undefined where there is none. */
  readonly list: (call?: Call) => Promise<TagsList | undefined>;
}

const atOnce = 8;

const isNeeded = (error: unknown): boolean =>
  isRegistryError(error) &&
  /GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE|GOOGLE_MANIFEST_REFERRING_MANIFEST/.test(error.message);
const isTagged = (error: unknown): boolean =>
  isRegistryError(error) && error.message.includes("GOOGLE_MANIFEST_DANGLING_TAG");

/** Deletes a manifest with its tags, which Google's registry refuses to do in one. */
export async function deleteTagged({ store, list }: Deleter, digest: Digest, call?: Call): Promise<void> {
  try {
    return await store.deleteManifest(digest, call);
  } catch (error) {
    if (!isTagged(error)) throw error;
  }
  const image = (await list(call))?.images?.find((one) => one.digest === digest);
  await deleteWith(image?.tags ?? [], { store, digest }, call);
}

/** Takes tags away, and then what they name; where that has to stay, its tags come back. */
async function deleteWith(
  tags: readonly string[],
  { store, digest }: { readonly store: Store; readonly digest: Digest },
  call?: Call,
): Promise<void> {
  const gone: string[] = [];
  try {
    for (const tag of tags) {
      // It may have moved on to another image since it was listed.
      if ((await store.head(tag, call))?.digest !== digest) continue;
      await untag(store, tag, call);
      gone.push(tag);
    }
    await store.deleteManifest(digest, call);
  } catch (error) {
    if (gone.length === 0 || isAbsent(error)) throw error;
    throw (await isRestored(store, digest, gone)) ? error : lost(error, gone);
  }
}

async function isRestored(store: Store, digest: Digest, tags: readonly string[]): Promise<boolean> {
  try {
    const manifest = await store.manifest(digest);
    if (!manifest) return false;
    for (const tag of tags) if (!(await store.head(tag))) await store.putManifest(manifest, { tag });
    return true;
  } catch {
    return false;
  }
}

function lost(error: unknown, tags: readonly string[]): unknown {
  if (!isRegistryError(error)) return error;
  const { code, message, cause, ...details } = error;
  const hint = `it has lost these tags: ${tags.join(", ")}`;
  return new RegistryError(code, message, { ...details, hint, cause });
}

/**
 * Deletes manifests with their tags: indexes before others, and what something else still needs again after that is gone,
 * until a round deletes nothing.
 */
export async function* deleteAll(
  { store, list }: Deleter,
  digests: readonly Digest[],
  call?: Call,
): AsyncGenerator<Deletion, void> {
  const known = new Map((await list(call))?.images?.map((image) => [image.digest, image]));
  const attempt = async (digest: Digest): Promise<Deletion> => {
    const tags = known.get(digest)?.tags ?? [];
    try {
      await deleteWith(tags, { store, digest }, call);
      return { digest, tags, outcome: "deleted" };
    } catch (error) {
      if (!isRegistryError(error) || error.code === "ABORTED") throw error;
      return isAbsent(error) ? { digest, outcome: "absent" } : { digest, outcome: "failed", error };
    }
  };
  const isIndex = (digest: Digest): boolean => isIndexType(known.get(digest)?.mediaType ?? "");
  const asked = [...new Set(digests)];
  const waves = [asked.filter(isIndex), asked.filter((digest) => !isIndex(digest))];
  let refused: Deletion[] = [];
  for (let isOn = true; isOn || waves.length > 0;) {
    const wave = [...refused.map(({ digest }) => digest), ...(waves.shift() ?? [])];
    refused = [];
    isOn = false;
    for await (const deletion of inOrder(wave, atOnce, attempt)) {
      isOn ||= deletion.outcome === "deleted";
      if (deletion.outcome === "failed" && isNeeded(deletion.error)) refused.push(deletion);
      else yield deletion;
    }
    isOn &&= refused.length > 0;
  }
  yield* refused;
}

/** Somebody else may have taken the tag away meanwhile. */
async function untag(store: Store, tag: string, call?: Call): Promise<void> {
  try {
    await store.deleteTag(tag, call);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/** The error for what has images, where these are not to go with it. */
export function notEmpty(host: string, name: string): RegistryError {
  return new RegistryError("CONFLICT", `${host}/${name} has images`, { host, hint: "delete them with it: --force" });
}
