import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent, isRegistryError, RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isForeignLayer } from "../oci/media-types.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Call, Source, Store } from "../store/store.ts";
import { attachedTo, digestTags, type DigestTags } from "./attachments.ts";
import { semaphore } from "./semaphore.ts";
import { isAbort, manifestAt, nameOf } from "./sides.ts";

/** Something that a tag needs and that is not as it must be. */
export interface Finding {
  /** Where in the image, from the root down: `linux/amd64 > layer 2`. */
  readonly path: string;
  readonly kind: "manifest" | "blob";
  readonly digest: Digest;
  readonly fault: "missing" | "size" | "corrupt" | "unreadable";
  readonly message: string;
}

export interface CheckResult {
  readonly digest: Digest;
  readonly manifests: number;
  readonly blobs: number;
  /** Bytes of everything looked at, each digest once. */
  readonly bytes: number;
  readonly findings: readonly Finding[];
  readonly repaired: readonly Digest[];
}

export interface CheckOptions extends Call {
  /** Reads every blob and takes its digest, instead of asking for its size. */
  readonly deep?: boolean;
  /** Whether what is attached is looked at too. Default: yes. */
  readonly referrers?: boolean;
  /** How many requests run at a time; 16. */
  readonly jobs?: number;
  /** A copy of the image to take from what is missing or broken. */
  readonly repairFrom?: Source;
}

/**
 * Looks whether all that a tag or digest needs is there: every manifest is read, every blob's size asked for or, with
 * `deep`, its bytes hashed. With `repairFrom` it puts back what it misses, blobs before the manifests that need them,
 * and findings are what is left. Throws MANIFEST_UNKNOWN where neither end has the root.
 */
export async function check(store: Source | Store, ref: string, options: CheckOptions = {}): Promise<CheckResult> {
  const { signal, repairFrom: spare } = options;
  const slot = semaphore(options.jobs ?? 16);
  const seen = new Map<Digest, Promise<void>>();
  const findings: Finding[] = [];
  const repaired: Digest[] = [];
  const tally = { manifests: 0, blobs: 0, bytes: 0 };
  const into = spare ? writable(store) : undefined;
  let tags: DigestTags | undefined;

  const once = (digest: Digest, work: () => Promise<void>): Promise<void> => {
    const known = seen.get(digest) ?? work();
    seen.set(digest, known);
    return known;
  };

  async function visitBlob(blob: Descriptor, path: string): Promise<void> {
    tally.blobs += 1;
    tally.bytes += blob.size;
    const fault = await slot(() => blobFault(store, blob, options));
    if (!fault) return;
    const source = spare;
    if (source && into && (await slot(() => mendBlob(into, blob, source, fault.fault, signal))))
      repaired.push(blob.digest);
    else findings.push({ path, kind: "blob", digest: blob.digest, ...fault });
  }

  async function visitManifest(descriptor: Descriptor, path: string): Promise<void> {
    const { manifest, fault } = await slot(() => readManifest(store, descriptor.digest, signal));
    const usable =
      manifest ?? (fault && spare ? await slot(() => spare.manifest(descriptor.digest, { signal })) : undefined);
    if (usable) await visitContent(usable, path);
    if (!fault) return;
    if (usable && into) {
      await into.putManifest(usable, { signal });
      repaired.push(descriptor.digest);
    } else findings.push({ path, kind: "manifest", digest: descriptor.digest, ...fault });
  }

  async function visitContent(manifest: Manifest, path: string): Promise<void> {
    tally.manifests += 1;
    tally.bytes += manifest.descriptor.size;
    await Promise.all([
      ...manifest.manifests.map((child, i) =>
        once(child.digest, () => visitManifest(child, join(path, childName(child, i)))),
      ),
      ...manifest.blobs
        .filter((blob) => !isForeignLayer(blob.mediaType))
        .map((blob) => once(blob.digest, () => visitBlob(blob, join(path, blobName(manifest, blob))))),
    ]);
    if (options.referrers === false) return;
    const attached = await slot(() => attachedTo(store, manifest.descriptor.digest, tags, signal));
    await Promise.all(
      attached.map(({ descriptor, tag }) =>
        once(descriptor.digest, () =>
          visitManifest(descriptor, join(path, tag ?? `referrer ${descriptor.artifactType ?? descriptor.digest}`)),
        ),
      ),
    );
  }

  if (options.referrers !== false) tags = await digestTags(store, signal);
  const found = await readManifest(store, ref, signal);
  const root = found.manifest ?? (await manifestAt(spare ?? store, ref, signal));
  await once(root.descriptor.digest, () => visitContent(root, ""));
  if (!found.manifest && into) {
    await into.putManifest(root, { signal, ...(!ref.includes(":") && { tag: ref }) });
    repaired.push(root.descriptor.digest);
  }
  await into?.flush({ signal });
  return { digest: root.descriptor.digest, ...tally, findings, repaired };
}

type Fault = Pick<Finding, "fault" | "message">;

async function readManifest(
  store: Source,
  ref: string,
  signal?: AbortSignal,
): Promise<{ manifest?: Manifest; fault?: Fault }> {
  try {
    const manifest = await store.manifest(ref, { signal });
    return manifest ? { manifest } : { fault: { fault: "missing", message: `${nameOf(store, ref)} is not there` } };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

async function blobFault(store: Source, blob: Descriptor, options: CheckOptions): Promise<Fault | undefined> {
  const { signal, deep } = options;
  try {
    const size = await store.size(blob.digest, { signal });
    if (size === undefined) return { fault: "missing", message: `${nameOf(store, blob.digest)} is not there` };
    if (size !== blob.size)
      return { fault: "size", message: `${nameOf(store, blob.digest)} has ${size} bytes instead of ${blob.size}` };
    if (deep) for await (const _ of await store.blob(blob.digest, { signal, transient: true, size })) continue;
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

/** Only what is wrong with the content is a finding; a registry that does not answer ends the check. */
function faultOf(error: unknown): Fault {
  if (isAbort(error) || !(error instanceof Error)) throw error;
  if (isAbsent(error)) return { fault: "missing", message: error.message };
  if (isRegistryError(error, "UNVERIFIED")) return { fault: "corrupt", message: error.message };
  if (isRegistryError(error, "MANIFEST_INVALID", "CORRUPT", "TOO_LARGE", "UNSUPPORTED"))
    return { fault: "unreadable", message: error.message };
  throw error;
}

/** Puts a blob back; false where the spare copy has not got it either. A broken one is in the way of the good one. */
async function mendBlob(
  into: Store,
  blob: Descriptor,
  spare: Source,
  fault: Finding["fault"],
  signal?: AbortSignal,
): Promise<boolean> {
  if ((await spare.size(blob.digest, { signal })) === undefined) return false;
  const put = await into.putBlob(blob, () => spare.blob(blob.digest, { signal, transient: true, size: blob.size }), {
    signal,
    replace: fault !== "missing",
  });
  return fault === "missing" || put === "written";
}

function writable(store: Source | Store): Store {
  if ("putBlob" in store) return store;
  throw new RegistryError("UNSUPPORTED", `${store.name} can only be read`);
}

function childName(child: Descriptor, index: number): string {
  return child.platform && child.platform.os !== "unknown" ? formatPlatform(child.platform) : `manifest ${index + 1}`;
}

function blobName(manifest: Manifest, blob: Descriptor): string {
  if (blob === manifest.config) return "config";
  return `layer ${manifest.blobs.indexOf(blob) + (manifest.config ? 0 : 1)}`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path} > ${name}`;
}
