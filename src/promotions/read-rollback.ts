import type { Client } from "../client.ts";
import { semaphore } from "../graph/semaphore.ts";
import { tagTargets } from "../graph/tags.ts";
import { isDigest, type Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { isDigestTag } from "../oci/reference.ts";
import { byTime, previousOf, tagHistory, type AttachedReceipt, type ReceiptsOf } from "../policy/promote/history.ts";
import type { RollbackState, RollbackTag } from "../policy/promote/plan-rollback.ts";
import type { Call } from "../store/store.ts";
import { places, type IsImmutable } from "./place.ts";
import { readReceipts } from "./read-receipts.ts";

const atOnce = 8;

/** Some tags of a repository, or its image; without either, all its tags. */
export interface PromotedPlace {
  readonly repository: string;
  readonly stage?: string;
  readonly tags?: readonly string[];
  readonly digest?: Digest;
}

/**
 * Reads what the receipts say of a place, the last first; each receipt once. Throws MANIFEST_UNKNOWN where none of the tags, or the
 * digest, is there, and NAME_UNKNOWN for a repository that is not.
 */
export async function readHistory(
  client: Client,
  { repository, tags, digest }: PromotedPlace,
  call: Call = {},
): Promise<readonly AttachedReceipt[]> {
  const { store } = places(client, undefined, call)(repository);
  const receiptsOf = remembered((of) => readReceipts(store, of, call));
  const room = semaphore(atOnce);
  const found = new Map<Digest, AttachedReceipt>();
  const add = (receipts: readonly AttachedReceipt[]): void => {
    for (const one of receipts) found.set(one.artifact, one);
  };
  const addTag = async (tag: string, names: Digest): Promise<void> =>
    add(await tagHistory(tag, names, repository, receiptsOf));
  if (digest) {
    add(await receiptsOf(digest));
    if (found.size === 0 && !(await store.head(digest, call))) throw missing(`${repository}@${digest} is not there`);
  } else if (tags) {
    const named = await Promise.all(tags.map(async (tag) => ({ tag, names: (await store.head(tag, call))?.digest })));
    if (named.every(({ names }) => names === undefined)) throw noTag(repository, tags);
    await Promise.all(named.map(async ({ tag, names }) => names && addTag(tag, names)));
  } else {
    const targets = await tagTargets(store, call);
    // A listing of what is not there looks like one of nothing.
    if (targets.size === 0) await Array.fromAsync(store.tags(call));
    const shown = [...targets].filter(([tag]) => !isDigestTag(tag));
    await Promise.all(shown.map(([tag, target]) => room(() => addTag(tag, target.digest))));
  }
  return [...found.values()].sort(byTime);
}

/** What is to go back, and where to: a digest, or the beginning of one that the history has. */
export interface RollbackRequest extends PromotedPlace {
  readonly tags: readonly string[];
  readonly to?: string;
  /** Of the tags that were promoted together, these alone. */
  readonly only?: readonly string[];
  /** Whether a tag never moves. */
  readonly immutable?: IsImmutable;
}

/**
 * Reads what a rollback needs: the last promotion of the tags that none took back, all tags that it moved, and where each
 * was before. Throws MANIFEST_UNKNOWN where no receipt tells.
 */
export async function readRollback(client: Client, request: RollbackRequest, call: Call = {}): Promise<RollbackState> {
  const { repository, stage, to, only = [] } = request;
  const place = places(client, request.immutable, call)(repository);
  const { store } = place;
  const receiptsOf = remembered((of) => readReceipts(store, of, call));
  const read = async (tag: string): Promise<TagPast> => {
    const names = (await store.head(tag, call))?.digest ?? null;
    const history = await tagHistory(tag, names, repository, receiptsOf);
    return { tag, names, history, previous: previousOf(history, tag) };
  };
  const releaseIn = async (digest: Digest | null): Promise<string | undefined> =>
    digest === null
      ? undefined
      : (await receiptsOf(digest)).find(({ receipt }) => receipt.release !== undefined)?.receipt.release;
  const asked = await Promise.all(request.tags.map(read));
  const main =
    asked.find(({ previous }) => previous && previous.digest !== null) ?? asked.find(({ names }) => names !== null);
  if (!main) throw noTag(repository, request.tags);
  const goal = to === undefined ? undefined : goalOf(to, main);
  if (!goal && !main.previous?.digest) {
    const at = `${repository}:${main.tag}`;
    const why = main.previous ? `${at} was new when it was promoted` : `no receipt tells what ${at} named before`;
    throw missing(`${why}: there is nothing to go back to`, "say where it goes: --to DIGEST");
  }
  const together = main.previous?.by.receipt.tags.map(({ tag }) => tag) ?? [main.tag];
  const set = together.filter((tag) => only.length === 0 || only.includes(tag));
  if (set.length === 0) throw new RegistryError("INVALID", `the last promotion moved ${together.join(", ")} alone`);
  const tags = set.map(async (tag): Promise<RollbackTag> => {
    const { names, previous } = tag === main.tag ? main : await read(tag);
    const before = previous?.digest ?? null;
    const target = goal && (before !== null || tag === main.tag) ? goal : before;
    const moved = names !== main.names;
    const isThere = target !== null && !moved && (await store.head(target, call)) !== undefined;
    const immutable = await place.immutable(tag);
    const [was, back] = await Promise.all([releaseIn(names), releaseIn(target)]);
    return {
      tag,
      names,
      to: target,
      isThere,
      ...(moved && {
        stays: names === null ? "it is gone" : `it names ${names}, which was not promoted with ${main.tag}`,
      }),
      ...(immutable !== undefined && { immutable }),
      releases: { ...(was !== undefined && { names: was }), ...(back !== undefined && { to: back }) },
    };
  });
  const at = stage ?? main.previous?.by.receipt.stage;
  return { repository, ...(at !== undefined && { stage: at }), tags: await Promise.all(tags) };
}

interface TagPast {
  readonly tag: string;
  readonly names: Digest | null;
  readonly history: readonly AttachedReceipt[];
  readonly previous: ReturnType<typeof previousOf>;
}

/** The image that is meant: a digest, or one of the history by the beginning of its own or its receipt's digest. */
function goalOf(text: string, { history }: TagPast): Digest {
  const begins = (digest: string): boolean =>
    text.length >= 6 && digest.replace(/^sha\d+:/, "").startsWith(text.replace(/^sha\d+:/, ""));
  const meant = history.flatMap(({ artifact, receipt }) => {
    const images = [receipt.digest, ...receipt.tags.flatMap(({ before }) => before ?? [])];
    return begins(artifact) ? [receipt.digest] : images.filter(begins);
  });
  const [one, ...others] = new Set(meant);
  if (one && others.length === 0) return one;
  if (!one && isDigest(text)) return text;
  throw new RegistryError(
    "INVALID",
    `${JSON.stringify(text)} is ${one ? "the beginning of several digests" : "no digest in the history"}`,
    {
      hint: "gantry promote history shows them",
    },
  );
}

const missing = (message: string, hint?: string): RegistryError =>
  new RegistryError("MANIFEST_UNKNOWN", message, hint === undefined ? {} : { hint });

/** The repository need not be that of the image which was named: it may be a stage's. */
const noTag = (repository: string, tags: readonly string[]): RegistryError =>
  missing(`${repository} has no tag ${tags.join(" or ")}`, `its tags: gantry ls ${repository}`);

function remembered(read: ReceiptsOf): ReceiptsOf {
  const known = new Map<Digest, ReturnType<ReceiptsOf>>();
  return (digest) => {
    const found = known.get(digest) ?? read(digest);
    known.set(digest, found);
    return found;
  };
}
