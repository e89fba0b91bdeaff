import { artifactFile, artifactManifest, attach } from "../graph/attach.ts";
import { subjectOfTag } from "../graph/needed.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent, isRegistryError, RegistryError } from "../oci/error.ts";
import { parseManifest, type Manifest } from "../oci/manifest.ts";
import type { Call, Source } from "../store/store.ts";
import { keep, type Before, type TagRules } from "./before.ts";
import type { Hands } from "./hands.ts";
import { failed, isRefusal } from "./running.ts";
import type { AttachDocument, CopyImage, DeleteRepository, RestoreManifest, SetImmutability, SetTag } from "./plan.ts";
import { isDeletion, type CreateRepository, type Step } from "./plan.ts";

/** How a step ended; `why` for what did not come about. */
export interface Ending {
  readonly outcome: "done" | "already" | "stale" | "failed" | "skipped";
  readonly why?: string;
  readonly error?: unknown;
  /** False where it failed before anything was changed. */
  readonly changed?: false;
  readonly bytes?: number;
  /** What came to be there, where the step itself cannot say that. */
  readonly digest?: Digest;
}

/** A step that has something to do. */
export interface Action {
  readonly before: Before;
  act(): Promise<Ending>;
}

/** A step that is done by itself: all but deletions and copies, which go together. */
export type Single = SetTag | AttachDocument | CreateRepository | DeleteRepository | SetImmutability | RestoreManifest;

export const isSingle = (step: Step): step is Single => step.do !== "copy" && !isDeletion(step);

const already: Ending = { outcome: "already" };
const done: Ending = { outcome: "done" };

/** Looks whether things are as a step expects: answers what is to be done, or how it ends with nothing to do. */
export async function look(step: Single, hands: Hands, call: Call): Promise<Action | Ending> {
  switch (step.do) {
    case "tag":
      return lookAtTag(step, hands, call);
    case "attach":
      return lookAtSubject(step, hands, call);
    case "restore":
      return lookAtGone(step, hands, call);
    case "create repository":
      return {
        before: {},
        act: async () => ((await hands.createRepository(step.at, call)) === "created" ? done : already),
      };
    case "delete repository":
      return lookAtRepository(step, hands, call);
    default:
      return lookAtRules(step, hands, call);
  }
}

async function lookAtTag({ at, digest, before }: SetTag, hands: Hands, call: Call): Promise<Action | Ending> {
  const { store, tag } = hands.open(at);
  if (tag === undefined) throw new RegistryError("INVALID", `${at} has no tag to set`);
  const now = await digestNow(store, tag, call);
  if (now === digest) return already;
  if (now !== before) return moved(at, now);
  const manifest = await store.manifest(digest, call);
  if (!manifest) return { outcome: "stale", why: `${digest} is gone` };
  return {
    before: { tag: now, ...(await keep(store, now, call)) },
    async act() {
      try {
        await store.putManifest(manifest, { ...call, tag });
        return done;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return { ...failed(error), changed: false };
      }
    },
  };
}

/** What is written down of a copy's destination before the image is put: what the plan says its tag names, the copy has held against it. */
export async function lookAtDestination(step: CopyImage, hands: Hands, call: Call): Promise<Before> {
  const { store, tag } = hands.open(step.at);
  if (tag === undefined) return { existed: (await digestNow(store, step.digest, call)) !== null };
  const now = step.before === undefined ? await digestNow(store, tag, call) : step.before;
  return { tag: now, ...(await keep(store, now, call)) };
}

async function lookAtSubject(step: AttachDocument, hands: Hands, call: Call): Promise<Action | Ending> {
  const { store } = hands.open(step.at);
  const subject = await store.head(step.digest, call);
  if (!subject) return { outcome: "stale", why: `${step.at} is not there` };
  const bytes = Buffer.from(JSON.stringify(step.document));
  const { artifactType, annotations } = step;
  const artifact = { artifactType, files: [artifactFile(bytes, artifactType)], ...(annotations && { annotations }) };
  const { digest } = artifactManifest(artifact, subject).descriptor;
  if (await store.head(digest, call)) return { ...already, digest };
  return {
    before: { existed: false },
    async act() {
      await attach(store, artifact, { subject: step.digest, ...call });
      return { ...done, digest };
    },
  };
}

async function lookAtRepository({ at }: DeleteRepository, hands: Hands, call: Call): Promise<Action | Ending> {
  const { manifests, gaps } = await hands.inventory(at, call);
  if (manifests.size > 0 || gaps.length > 0) return { outcome: "stale", why: `${at} is not empty` };
  return {
    before: {},
    async act() {
      try {
        await hands.deleteRepository(at, call);
        return done;
      } catch (error) {
        if (isAbsent(error)) return already;
        throw error;
      }
    },
  };
}

async function lookAtRules(step: SetImmutability, hands: Hands, call: Call): Promise<Action | Ending> {
  const now = await rulesNow(step.at, hands, call);
  if (now && isSameRules(now, step)) return already;
  if (now && step.before && !isSameRules(now, step.before)) {
    return { outcome: "stale", why: `tags of ${step.at} are ${rulesText(now)} now` };
  }
  return {
    before: now ? { immutability: now } : {},
    async act() {
      await hands.setImmutability(step, call);
      return done;
    },
  };
}

/** Undefined where a service does not tell. */
async function rulesNow(at: string, hands: Hands, call: Call): Promise<TagRules | undefined> {
  try {
    const { tags, except, patterns } = await hands.immutability(at, call);
    return { tags, ...(except && { except }), ...(patterns && { patterns }) };
  } catch (error) {
    if (isRegistryError(error, "UNSUPPORTED")) return undefined;
    throw error;
  }
}

function isSameRules(a: TagRules, b: TagRules): boolean {
  const list = ({ except = [] }: TagRules): string => JSON.stringify(except.toSorted());
  const patterns = a.patterns === undefined || b.patterns === undefined || a.patterns === b.patterns;
  return a.tags === b.tags && list(a) === list(b) && patterns;
}

const rulesText = ({ tags, except = [] }: TagRules): string =>
  except.length > 0 ? `${tags}, but for ${except.join(", ")},` : tags;

async function lookAtGone(step: RestoreManifest, hands: Hands, call: Call): Promise<Action | Ending> {
  const { store } = hands.open(step.at);
  const manifest = parseManifest(Buffer.from(step.manifest, "base64"), {
    mediaType: step.mediaType,
    digest: step.digest,
  });
  const existed = (await digestNow(store, step.digest, call)) !== null;
  const found = await Promise.all(step.tags.map(async (tag) => ({ tag, now: await digestNow(store, tag, call) })));
  const others = found.filter(({ now }) => now !== null && now !== step.digest);
  const grown = await Promise.all(others.map(({ tag, now }) => isGrown(store, tag, now!, manifest, call)));
  const taken = others.filter((_, i) => !grown[i]);
  const tags = found.filter(({ now }) => now === null).map(({ tag }) => tag);
  const ending = ({ outcome }: Ending): Ending =>
    taken.length > 0
      ? { outcome: "stale", why: taken.map(({ tag, now }) => `${tag} names ${now} now`).join(", ") }
      : { outcome };
  if (existed && tags.length === 0) return ending(already);
  return {
    before: { existed, tags },
    async act() {
      try {
        if (!existed) await store.putManifest(manifest, call);
        for (const tag of tags) await store.putManifest(manifest, { ...call, tag });
      } catch (error) {
        throw lost(error, step.at);
      }
      return ending(done);
    },
  };
}

/**
 * Whether a tag names an index of referrers again, which came to be as they were put back, with all that it had before
 * (distribution-spec, "Referrers Tag Schema").
 */
async function isGrown(store: Source, tag: string, now: Digest, before: Manifest, call: Call): Promise<boolean> {
  if (!subjectOfTag(tag) || before.manifests.length === 0) return false;
  const there = new Set((await store.manifest(now, call))?.manifests.map(({ digest }) => digest));
  return before.manifests.every(({ digest }) => there.has(digest));
}

/** A manifest whose blobs the registry has cleaned away cannot come back. */
function lost(error: unknown, at: string): unknown {
  if (!isRegistryError(error, "MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN")) return error;
  return new RegistryError(
    error.code,
    `${at} cannot come back: the registry does not have all of its content any more`,
    {
      cause: error,
      hint: "copy it from where else it is",
      ...(error.host !== undefined && { host: error.host }),
      ...(error.status !== undefined && { status: error.status }),
    },
  );
}

const moved = (at: string, now: Digest | null): Ending => ({
  outcome: "stale",
  why: now === null ? `${at} is gone` : `${at} names ${now} now`,
});

/** What a tag names, or a digest itself where it is there; null where it is not, or its repository is not. */
export async function digestNow(store: Source, ref: string, call: Call): Promise<Digest | null> {
  try {
    return (await store.head(ref, call))?.digest ?? null;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
