import { semaphore } from "../graph/semaphore.ts";
import { isAbort } from "../graph/sides.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent, RegistryError } from "../oci/error.ts";
import { parseReference } from "../oci/reference.ts";
import type { CopyImage, CreateRepository, Kept, Note, Plan } from "../plan/plan.ts";
import type { Call, Store } from "../store/store.ts";
import { placeOfImage, type BundledImage, type BundleManifest } from "./manifest.ts";
import { bundleLocation } from "./read.ts";

export interface PlanBundleOptions extends Call {
  readonly path: string;
  readonly now: Date;
  /** The registry, and perhaps a path in it, that all images go to in place of their own registry. */
  readonly to?: string;
  /** Opens a repository at the destination. */
  readonly open: (place: string) => Store;
  /** Whether somebody has to make this repository, which is not there, before a push. */
  readonly needsCreation: (place: string) => Promise<boolean>;
}

const atOnce = 16;

type Verdict =
  | { readonly kept: string }
  | { readonly refused: string }
  | { readonly copy: string; readonly now: Digest | null; readonly create: boolean };

/**
 * What a bundle does at a destination, after a look whether all is there that it expects there: an image of which something
 * is missing on both sides is refused, and nothing of it becomes visible.
 */
export async function planBundle(manifest: BundleManifest, options: PlanBundleOptions): Promise<Plan> {
  const room = semaphore(atOnce);
  const looks = looker(options, room);
  const goals = manifest.images.map((image) => ({ image, ...targetOf(image.at, options.to) }));
  const judged = await Promise.all(goals.map(async (goal) => ({ ...goal, verdict: await looks.judge(goal) })));
  const steps: (CopyImage | CreateRepository)[] = [];
  const kept: Kept[] = [];
  const notes: Note[] = [];
  const created = new Map<string, string>();
  const add = <T extends CopyImage | CreateRepository>(step: Omit<T, "id">): string => {
    const id = String(steps.length + 1);
    steps.push({ id, ...step } as T);
    return id;
  };
  for (const { image, place, at, verdict } of judged) {
    if ("kept" in verdict) kept.push({ at, digest: image.digest, why: verdict.kept });
    else if ("refused" in verdict) notes.push({ level: "refused", at, message: verdict.refused });
    else {
      if (verdict.create && !created.has(place)) {
        created.set(
          place,
          add<CreateRepository>({ do: "create repository", at: place, why: "a push does not create it" }),
        );
      }
      const after = created.get(place);
      const tagged = placeOfImage(at).tag !== undefined;
      add<CopyImage>({
        do: "copy",
        from: bundleLocation(options.path, image.at),
        at,
        digest: image.digest,
        ...(tagged && { before: verdict.now }),
        bytes: image.bytes,
        why: verdict.copy,
        ...(after !== undefined && { after: [after] }),
      });
      const { before } = image;
      if (before !== undefined && before !== verdict.now && verdict.now !== image.digest)
        notes.push({
          level: "warning",
          at,
          message: `names ${verdict.now ?? "nothing"} now, and ${before ?? "nothing"} when it was written down`,
        });
    }
  }
  const from = manifest.from === undefined ? options.path : `${options.path} (${manifest.from})`;
  return { version: 1, kind: "sync", made: options.now.toISOString(), from, steps, kept, notes };
}

interface Goal {
  readonly image: BundledImage;
  readonly place: string;
  readonly at: string;
}

function looker(
  options: PlanBundleOptions,
  room: ReturnType<typeof semaphore>,
): { judge(goal: Goal): Promise<Verdict> } {
  const call: Call = options.signal ? { signal: options.signal } : {};
  const places = new Map<string, Promise<{ readonly store: Store; readonly isThere: boolean }>>();
  const placeAt = (place: string): NonNullable<ReturnType<typeof places.get>> => {
    const known = places.get(place) ?? room(async () => lookAt(options.open(place), call));
    places.set(place, known);
    return known;
  };
  const creation = new Map<string, Promise<boolean>>();

  async function judge({ image, place, at }: Goal): Promise<Verdict> {
    try {
      const { store, isThere } = await placeAt(place);
      const missing = [
        ...(await missingOf(image.expects, isThere, (digest) => room(() => store.size(digest, call)))),
        ...(await missingElsewhere(image, store)),
      ];
      if (missing.length > 0) return { refused: refusal(missing) };
      const { tag } = placeOfImage(at);
      const now = isThere ? ((await room(() => store.head(tag ?? image.digest, call)))?.digest ?? null) : null;
      if (now === image.digest && (await isWhole(image, store))) return { kept: "it is there" };
      const create =
        !isThere && (await (creation.get(place) ?? remember(creation, place, options.needsCreation(place))));
      const copy =
        now === null ? "it is not there" : now === image.digest ? "not all of it is there" : `it names ${now}`;
      return { copy, now, create };
    } catch (error) {
      if (isAbort(error) || options.signal?.aborted) throw error;
      return { refused: `it cannot be looked at: ${error instanceof Error ? error.message : String(error)}` };
    }
  }

  /** Of what another repository is to have, what neither has. */
  async function missingElsewhere({ mounts = {} }: BundledImage, own: Store): Promise<readonly Digest[]> {
    const found = Object.entries(mounts).map(async ([blob, other]) => {
      const digest = blob as Digest;
      const { store: theirs, isThere } = await placeAt(targetOf(`${other}@${digest}`, options.to).place);
      if (isThere && (await room(() => theirs.size(digest, call))) !== undefined) return [];
      return (await room(() => own.size(digest, call))) === undefined ? [digest] : [];
    });
    return (await Promise.all(found)).flat();
  }

  /** Whether all manifests and tags of an image are there: a registry takes none before its blobs. */
  async function isWhole({ manifests, digestTags }: BundledImage, store: Store): Promise<boolean> {
    const found = await Promise.all([
      ...manifests.map(async (digest) => (await room(() => store.head(digest, call))) !== undefined),
      ...Object.entries(digestTags).map(
        async ([tag, digest]) => (await room(() => store.head(tag, call)))?.digest === digest,
      ),
    ]);
    return found.every(Boolean);
  }

  return { judge };
}

function remember<T>(known: Map<string, Promise<T>>, key: string, value: Promise<T>): Promise<T> {
  known.set(key, value);
  return value;
}

async function lookAt(store: Store, call: Call): Promise<{ readonly store: Store; readonly isThere: boolean }> {
  try {
    for await (const _ of store.tags(call)) break;
    return { store, isThere: true };
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return { store, isThere: false };
  }
}

async function missingOf(
  expects: readonly Digest[],
  isThere: boolean,
  size: (digest: Digest) => Promise<number | undefined>,
): Promise<readonly Digest[]> {
  if (!isThere) return expects;
  const found = await Promise.all(expects.map(async (digest) => ((await size(digest)) === undefined ? [digest] : [])));
  return found.flat();
}

const shown = 3;

function refusal(missing: readonly Digest[]): string {
  const names = missing.slice(0, shown).join(", ");
  const more = missing.length > shown ? ` and ${missing.length - shown} more` : "";
  return `neither the bundle nor the destination has ${names}${more}: write down again what the destination has (gantry sync --record), and make another bundle with it`;
}

/** Where an image goes: where it says, or to the same repository below `to`. */
function targetOf(at: string, to: string | undefined): { readonly place: string; readonly at: string } {
  if (to === undefined) return { place: placeOfImage(at).place, at };
  const base = to.replace(/\/+$/, "");
  const moved = `${base}${at.slice(at.indexOf("/"))}`;
  const { registry } = parseReference(moved);
  if (base !== registry && !base.startsWith(`${registry}/`)) {
    throw new RegistryError("INVALID", `${JSON.stringify(to)} names no registry`, { hint: "write HOST, or HOST/PATH" });
  }
  return { place: placeOfImage(moved).place, at: moved };
}
