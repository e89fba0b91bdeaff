import type { Descriptor } from "../oci/descriptor.ts";
import { isDigest, type Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isForeignLayer } from "../oci/media-types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Call, Source, Store } from "../store/store.ts";
import { attachedTo, attachmentLimit, digestTags, endless, type DigestTags } from "./attachments.ts";
import { blobFault, mendBlob, mendManifest, readManifest, sizeFault, type Fault, type ManifestRead } from "./fault.ts";
import { checkNesting } from "./nesting.ts";
import { semaphore } from "./semaphore.ts";
import { manifestAt, nameOf } from "./sides.ts";
import { together } from "./together.ts";

/** Something that a tag needs and that is not as it must be. */
export interface Finding extends Fault {
  /** Where in the image, from the root down: `linux/amd64 > layer 2`; empty for the root. */
  readonly path: string;
  readonly kind: "manifest" | "blob";
  readonly digest: Digest;
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
 * looks again, and findings are what is left. Throws MANIFEST_UNKNOWN where neither end has the root.
 */
export async function check(store: Source | Store, ref: string, options: CheckOptions = {}): Promise<CheckResult> {
  const image = nameOf(store, ref);
  const { signal, all } = together(options.signal);
  const into = options.repairFrom && { store: writable(store), spare: options.repairFrom };
  const slot = semaphore(options.jobs ?? 16);
  const seen = new Map<string, Promise<void>>();
  const findings: Finding[] = [];
  const repaired: Digest[] = [];
  const tally = { manifests: 0, blobs: 0, bytes: 0 };
  let reached: { readonly digest: Digest; readonly path: string }[] = [];

  const once = (key: string, work: () => Promise<void>): Promise<void> => {
    const known = seen.get(key) ?? work();
    seen.set(key, known);
    return known;
  };

  async function visitBlob(blob: Descriptor, path: string): Promise<void> {
    tally.blobs += 1;
    tally.bytes += blob.size;
    const fault = await slot(() => blobFault(store, blob, { signal, deep: options.deep }));
    if (!fault) return;
    if (into && (await slot(() => mendBlob(into.store, blob, into.spare, { signal }, fault))))
      repaired.push(blob.digest);
    else findings.push({ path, kind: "blob", digest: blob.digest, ...fault });
  }

  async function visitManifest({ digest, size, path, depth, tag, read }: Place): Promise<void> {
    const finding = { path, kind: "manifest", digest } as const;
    const { manifest, fault } = read ?? (await slot(() => readManifest(store, digest, { signal })));
    const usable = manifest ?? (into && (await slot(() => readManifest(into.spare, digest, { signal }))).manifest);
    const wrong = usable && size !== undefined && sizeFault(store, usable, size);
    if (wrong) findings.push({ ...finding, ...wrong });
    if (usable) await visitContent(usable, path, depth);
    if (!fault) return;
    const call = { signal, ...(tag !== undefined && { tag }) };
    if (usable && into && (await slot(() => mendManifest(into.store, usable, call)))) repaired.push(digest);
    else findings.push({ ...finding, ...fault });
  }

  async function visitContent(manifest: Manifest, path: string, depth: number): Promise<void> {
    checkNesting(manifest, depth, image);
    tally.manifests += 1;
    tally.bytes += manifest.descriptor.size;
    reached.push({ digest: manifest.descriptor.digest, path });
    const children = manifest.manifests.map(({ digest, size, platform }, i) =>
      once(`manifest ${digest}`, () =>
        visitManifest({ digest, size, path: join(path, childName(platform, i)), depth: depth + 1 }),
      ),
    );
    const blobs = manifest.blobs
      .filter((blob) => !isForeignLayer(blob.mediaType))
      .map((blob) => once(`blob ${blob.digest}`, () => visitBlob(blob, join(path, blobName(manifest, blob)))));
    await all([...children, ...blobs]);
  }

  /** What hangs on all that was reached, level by level, as something may hang on itself, by way of tags. */
  async function visitAttached(root: Digest): Promise<void> {
    const tags = await digestTags(store, signal);
    const listed = unread(store, tags, signal);
    for (let depth = 1; reached.length > 0; depth++) {
      const level = reached;
      reached = [];
      const found = level.map(async ({ digest, path }) =>
        (await slot(() => attachedTo(listed, digest, tags, signal))).map((one) => ({ ...one, path })),
      );
      const fresh = (await Promise.all(found)).flat().filter((one) => !seen.has(`manifest ${one.descriptor.digest}`));
      if (fresh.length > 0 && depth > attachmentLimit) throw endless(store, root);
      const visits = fresh.map(({ descriptor: { digest, artifactType }, tag, path }) => {
        const name = tag ?? `referrer ${artifactType ?? digest}`;
        return once(`manifest ${digest}`, () => visitManifest({ digest, path: join(path, name), depth: 1, tag }));
      });
      await all(visits);
    }
  }

  const found = await findRoot(store, ref, options);
  const { digest: root } = found;
  const place = { ...found, path: "", depth: 1, ...(!isDigest(ref) && { tag: ref }) };
  await all([once(`manifest ${root}`, () => visitManifest(place))]);
  if (options.referrers !== false) await visitAttached(root);
  await into?.store.flush({ signal });
  return { digest: root, ...tally, findings, repaired };
}

/** A manifest to look at. */
interface Place {
  readonly digest: Digest;
  /** What the index that lists it says. */
  readonly size?: number;
  readonly path: string;
  /** How deep in indexes it is, the first being 1. */
  readonly depth: number;
  /** Under which it is to be put where it is missing. */
  readonly tag?: string | undefined;
  /** What came of reading it already. */
  readonly read?: ManifestRead;
}

/** What a tag names here, even if that is broken; what it names at the spare copy only where it is not here at all. */
async function findRoot(
  store: Source,
  ref: string,
  { signal, repairFrom }: CheckOptions,
): Promise<Pick<Place, "digest" | "read">> {
  const read = await readManifest(store, ref, { signal });
  if (read.manifest) return { digest: read.manifest.descriptor.digest, read };
  if (isDigest(ref) && read.fault?.fault !== "missing") return { digest: ref, read };
  const named = isDigest(ref) ? undefined : (await store.head(ref, { signal }))?.digest;
  const digest = named ?? (await manifestAt(repairFrom ?? store, ref, signal)).descriptor.digest;
  return { digest, read };
}

/** A store whose manifests are not read while they are listed: a broken one must not end the list. */
function unread(store: Source, tags: DigestTags | undefined, signal: AbortSignal): Source {
  return {
    ...store,
    manifest: async (ref) =>
      isDigest(ref) || tags ? undefined : (await readManifest(store, ref, { signal })).manifest,
  };
}

function writable(store: Source | Store): Store {
  if ("putBlob" in store) return store;
  throw new RegistryError("UNSUPPORTED", `${store.name} can only be read`);
}

function childName(platform: Platform | undefined, index: number): string {
  return platform && platform.os !== "unknown" ? formatPlatform(platform) : `manifest ${index + 1}`;
}

function blobName(manifest: Manifest, blob: Descriptor): string {
  if (blob === manifest.config) return "config";
  return `layer ${manifest.blobs.indexOf(blob) + (manifest.config ? 0 : 1)}`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path} > ${name}`;
}
