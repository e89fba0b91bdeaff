import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent, isBroken, isRegistryError, type RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Call, Source, Store } from "../store/store.ts";
import { nameOf } from "./sides.ts";

/** What is wrong with a manifest or blob. */
export interface Fault {
  readonly fault: "missing" | "size" | "corrupt" | "unreadable";
  readonly message: string;
}

/** A manifest, or why it cannot be read. */
export interface ManifestRead {
  readonly manifest?: Manifest;
  readonly fault?: Fault;
}

/** Reads a manifest, or says why it cannot be read. Throws where a store does not answer. */
export async function readManifest(from: Source, ref: string, call: Call): Promise<ManifestRead> {
  try {
    const manifest = await from.manifest(ref, call);
    return manifest ? { manifest } : { fault: missing(from, ref) };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

/** What is wrong with a blob by its size or, with `deep`, by its bytes. Throws where a store does not answer. */
export async function blobFault(
  from: Source,
  { digest, size: wanted }: Descriptor,
  { signal, deep }: Call & { readonly deep?: boolean },
): Promise<Fault | undefined> {
  try {
    const size = await from.size(digest, { signal });
    if (size === undefined) return missing(from, digest);
    if (size !== wanted) return wrongSize(from, digest, size, wanted);
    if (deep) for await (const _ of await from.blob(digest, { signal, transient: true, size })) continue;
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

/** A manifest that is not as long as what points at it says: clients refuse it. */
export function sizeFault(from: Source, { descriptor }: Manifest, size: number): Fault | undefined {
  return descriptor.size === size ? undefined : wrongSize(from, descriptor.digest, descriptor.size, size);
}

/** Puts a blob from a spare copy; false where that has not got it either, or the store does not take it. */
export function mendBlob(into: Store, blob: Descriptor, spare: Source, call: Call, fault: Fault): Promise<boolean> {
  return mended(async () => {
    const content = () => spare.blob(blob.digest, { ...call, transient: true, size: blob.size });
    if ((await spare.size(blob.digest, call)) === undefined) return true;
    // A broken one is in the way of the good one.
    const replace = fault.fault !== "missing";
    await into.putBlob(blob, content, { ...call, replace });
    return (await blobFault(into, blob, { ...call, deep: replace })) !== undefined;
  });
}

/** Puts a manifest; false where the store does not take it: it may lack what the manifest needs. */
export function mendManifest(
  into: Store,
  manifest: Manifest,
  call: Call & { readonly tag?: string },
): Promise<boolean> {
  return mended(async () => {
    await into.putManifest(manifest, call);
    return (await readManifest(into, manifest.descriptor.digest, call)).fault !== undefined;
  });
}

/** Whether work, which says if something is wrong still, went well. */
async function mended(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return !(await work());
  } catch (error) {
    if (isAbsent(error) || isBroken(error) || isRegistryError(error, "MANIFEST_BLOB_UNKNOWN", "DIGEST_INVALID"))
      return false;
    throw error;
  }
}

function missing(from: Source, ref: string): Fault {
  return { fault: "missing", message: `${nameOf(from, ref)} is not there` };
}

function wrongSize(from: Source, digest: Digest, size: number, wanted: number): Fault {
  return { fault: "size", message: `${nameOf(from, digest)} has ${size} bytes instead of ${wanted}` };
}

/** Only what is wrong with the content is a fault; a store that does not answer is none. */
function faultOf(error: unknown): Fault {
  const { message } = error as RegistryError;
  if (isAbsent(error)) return { fault: "missing", message };
  if (isRegistryError(error, "UNVERIFIED")) return { fault: "corrupt", message };
  if (isBroken(error)) return { fault: "unreadable", message };
  throw error;
}
