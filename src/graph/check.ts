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
import { semaphore, type Semaphore } from "./semaphore.ts";
import { manifestAt, nameOf } from "./sides.ts";
import { together, type Together } from "./together.ts";

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
  const round = startRound(store, ref, options);
  const found = await findRoot(store, ref, options);
  const { digest: root } = found;
  const place = { ...found, path: "", depth: 1, ...(!isDigest(ref) && { tag: ref }) };
  await round.all([round.once(`manifest ${root}`, () => visitManifest(round, place))]);
  if (options.referrers !== false) await visitAttached(round, root);
  await round.into?.store.flush({ signal: round.signal });
  return { digest: root, ...round.tally, findings: round.findings, repaired: round.repaired };
}

/** One look at an image, under way. */
interface Round extends Together {
  readonly store: Source | Store;
  /** Its name. */
  readonly image: string;
  /** Where what is missing is put, and where it is taken from. */
  readonly into: { readonly store: Store; readonly spare: Source } | undefined;
  readonly deep: boolean | undefined;
  readonly slot: Semaphore;
  /** Does what has this key, unless it was done. */
  readonly once: (key: string, work: () => Promise<void>) => Promise<void>;
  readonly seen: ReadonlyMap<string, unknown>;
  readonly findings: Finding[];
  readonly repaired: Digest[];
  readonly tally: { manifests: number; blobs: number; bytes: number };
  /** Manifests whose attachments have not been looked at yet. */
  reached: { readonly digest: Digest; readonly path: string }[];
}

function startRound(store: Source | Store, ref: string, { repairFrom, deep, jobs, signal }: CheckOptions): Round {
  const seen = new Map<string, Promise<void>>();
  return {
    ...together(signal),
    store,
    image: nameOf(store, ref),
    into: repairFrom && { store: writable(store), spare: repairFrom },
    deep,
    slot: semaphore(jobs ?? 16),
    once(key, work) {
      const known = seen.get(key) ?? work();
      seen.set(key, known);
      return known;
    },
    seen,
    findings: [],
    repaired: [],
    tally: { manifests: 0, blobs: 0, bytes: 0 },
    reached: [],
  };
}

async function visitBlob(round: Round, blob: Descriptor, path: string): Promise<void> {
  const { store, into, slot, signal, deep, tally } = round;
  tally.blobs += 1;
  tally.bytes += blob.size;
  const fault = await slot(() => blobFault(store, blob, { signal, deep }));
  if (!fault) return;
  if (into && (await slot(() => mendBlob(into.store, blob, into.spare, { signal }, fault))))
    round.repaired.push(blob.digest);
  else round.findings.push({ path, kind: "blob", digest: blob.digest, ...fault });
}

async function visitManifest(round: Round, { digest, size, path, depth, tag, read }: Place): Promise<void> {
  const { store, into, slot, signal, findings } = round;
  const finding = { path, kind: "manifest", digest } as const;
  const { manifest, fault } = read ?? (await slot(() => readManifest(store, digest, { signal })));
  const usable = manifest ?? (into && (await slot(() => readManifest(into.spare, digest, { signal }))).manifest);
  const wrong = usable && size !== undefined && sizeFault(store, usable, size);
  if (wrong) findings.push({ ...finding, ...wrong });
  if (usable) await visitContent(round, usable, path, depth);
  if (!fault) return;
  const call = { signal, ...(tag !== undefined && { tag }) };
  if (usable && into && (await slot(() => mendManifest(into.store, usable, call)))) round.repaired.push(digest);
  else findings.push({ ...finding, ...fault });
}

async function visitContent(round: Round, manifest: Manifest, path: string, depth: number): Promise<void> {
  const { once, tally } = round;
  checkNesting(manifest, depth, round.image);
  tally.manifests += 1;
  tally.bytes += manifest.descriptor.size;
  round.reached.push({ digest: manifest.descriptor.digest, path });
  const children = manifest.manifests.map(({ digest, size, platform }, i) => {
    const place = { digest, size, path: join(path, childName(platform, i)), depth: depth + 1 };
    return once(`manifest ${digest}`, () => visitManifest(round, place));
  });
  const blobs = manifest.blobs
    .filter((blob) => !isForeignLayer(blob.mediaType))
    .map((blob) => once(`blob ${blob.digest}`, () => visitBlob(round, blob, join(path, blobName(manifest, blob)))));
  await round.all([...children, ...blobs]);
}

/** What hangs on all that was reached, level by level, as something may hang on itself, by way of tags. */
async function visitAttached(round: Round, root: Digest): Promise<void> {
  const { store, slot, signal, seen } = round;
  const tags = await digestTags(store, signal);
  const listed = unread(store, tags, signal);
  for (let depth = 1; round.reached.length > 0; depth++) {
    const level = round.reached;
    round.reached = [];
    const found = level.map(async ({ digest, path }) =>
      (await slot(() => attachedTo(listed, digest, tags, signal))).map((one) => ({ ...one, path })),
    );
    const fresh = (await Promise.all(found)).flat().filter((one) => !seen.has(`manifest ${one.descriptor.digest}`));
    if (fresh.length > 0 && depth > attachmentLimit) throw endless(store, root);
    const visits = fresh.map(({ descriptor: { digest, artifactType }, tag, path }) => {
      const place = { digest, path: join(path, tag ?? `referrer ${artifactType ?? digest}`), depth: 1, tag };
      return round.once(`manifest ${digest}`, () => visitManifest(round, place));
    });
    await round.all(visits);
  }
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
  const spare = named === undefined ? await repairFrom?.manifest(ref, { signal }) : undefined;
  const digest = named ?? (spare ?? (await manifestAt(store, ref, signal))).descriptor.digest;
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
