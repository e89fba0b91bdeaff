import type { Client } from "../client.ts";
import { tagTargets } from "../graph/tags.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent, RegistryError } from "../oci/error.ts";
import { formatReference, isDigestTag, type Reference } from "../oci/reference.ts";
import { semaphore } from "../graph/semaphore.ts";
import { parsePattern } from "../policy/pattern.ts";
import { gatesOf, passGates, type GateContext, type Subject } from "../policy/promote/gate.ts";
import type { Stage } from "../policy/promote/stage.ts";
import type { Promotion, TagNow } from "../policy/promote/state.ts";
import { gatedAt, targetAt, type Target, type TargetOptions } from "../policy/promote/target.ts";
import type { Origin } from "../policy/promote/template.ts";
import type { Call, Source } from "../store/store.ts";
import { places, type IsImmutable, type Place } from "./place.ts";
import { readAttached } from "../graph/read-attached.ts";
import { readReceipts } from "./read-receipts.ts";
import { builtAt, releaseOf } from "./release.ts";

/** What is to be promoted, and where to. */
export interface PromotionRequest extends TargetOptions {
  /** Images by tag or digest; or, with `match`, repositories. */
  readonly images: readonly string[];
  /** Where an image is named, as `images.txt:3`: told of one that is not there. */
  readonly namedAt?: ReadonlyMap<string, string>;
  /** Of each repository every tag like this. */
  readonly match?: string;
  /** Stages, or places as `targetOf` takes them. */
  readonly to: readonly (Stage | string)[];
  /** All stages, of which some have to have an image first. */
  readonly stages: ReadonlyMap<string, Stage>;
  /** Whether a tag never moves. */
  readonly immutable?: IsImmutable;
  readonly gates: Omit<GateContext, "now">;
  readonly now: () => Date;
}

const atOnce = 8;

/** An image, found. */
interface Found extends Origin {
  readonly store: Source;
  readonly digest: Digest;
  /** With its tag, if it has one, and its digest. */
  readonly name: string;
}

/**
 * Reads all that decides over promotions: what the images are and their versions, what the tags at the other end name, who
 * forbids that they move, and how the gates are passed. Throws MANIFEST_UNKNOWN for an image that is not there.
 */
export async function readPromotions(
  client: Client,
  request: PromotionRequest,
  call: Call = {},
): Promise<readonly Promotion[]> {
  const room = semaphore(atOnce);
  const placeOf = places(client, request.immutable, call);
  const images = (
    await Promise.all(request.images.map((image) => room(() => findNamed(client, image, request, call))))
  ).flat();
  const wanted = images.flatMap((image) => request.to.map((to) => ({ image, to })));
  const read = wanted.map(({ image, to }) => room(() => readOne(image, to, request, placeOf, call)));
  return Promise.all(read);
}

/** Finds images; of what is not there, says where it is named. */
async function findNamed(
  client: Client,
  image: string,
  request: PromotionRequest,
  call: Call,
): Promise<readonly Found[]> {
  const at = request.namedAt?.get(image);
  try {
    return await find(client, image, request, call);
  } catch (error) {
    if (at === undefined || !isAbsent(error)) throw error;
    throw new RegistryError(error.code, `${at}: ${error.message}`, error);
  }
}

async function find(client: Client, text: string, { match }: PromotionRequest, call: Call): Promise<readonly Found[]> {
  const { location, store } = client.open(text);
  if (location.transport !== "registry") {
    throw new RegistryError("INVALID", `${text} is in no registry`, { hint: "copy it into one first: gantry copy" });
  }
  const { reference } = location;
  const references = match === undefined ? [reference] : await matching(reference, store, match, call);
  return Promise.all(
    references.map(async (one): Promise<Found> => {
      const named = one.tag === undefined && one.digest === undefined ? { ...one, tag: "latest" } : one;
      const digest = named.digest ?? (await store.head(named.tag!, call))?.digest;
      if (!digest || (named.digest && !(await store.head(digest, call)))) {
        throw new RegistryError("MANIFEST_UNKNOWN", `${formatReference(named)} is not there`, { side: "source" });
      }
      const release = await releaseOf(store, digest, named.tag, call);
      const name = formatReference({ ...named, digest });
      return { reference: named, store, digest, name, ...(release !== undefined && { release }) };
    }),
  );
}

async function matching(reference: Reference, store: Source, match: string, call: Call): Promise<readonly Reference[]> {
  if (reference.tag !== undefined || reference.digest) {
    throw new RegistryError(
      "INVALID",
      `${formatReference(reference)} names one image, and --match is for repositories`,
    );
  }
  const pattern = parsePattern(match);
  const tags = [...(await tagTargets(store, call)).keys()].filter((tag) => !isDigestTag(tag) && pattern.fits(tag));
  if (tags.length > 0) return tags.map((tag) => ({ ...reference, tag }));
  throw new RegistryError("MANIFEST_UNKNOWN", `no tag of ${formatReference(reference)} is like ${match}`, {
    side: "source",
  });
}

async function readOne(
  image: Found,
  to: Stage | string,
  request: PromotionRequest,
  placeOf: (repository: string) => Place,
  call: Call,
): Promise<Promotion> {
  const target = targetAt(image, to, request);
  const place = placeOf(target.repository);
  const tags = await Promise.all(
    target.tags.map(async (wanted): Promise<TagNow> => {
      const names = (await place.store.head(wanted.tag, call))?.digest ?? null;
      if (names === null || names === image.digest) return { ...wanted, names };
      const [release, immutable] = await Promise.all([place.release(names, wanted.tag), place.immutable(wanted.tag)]);
      return {
        ...wanted,
        names,
        ...(release !== undefined && { release }),
        ...(immutable !== undefined && { immutable }),
      };
    }),
  );
  const moves = tags.some(({ names }) => names !== image.digest);
  const isNew = tags.every(({ names }) => names === null);
  const { registry, repository } = image.reference;
  const ungated = typeof to === "string" ? gatedAt(image, target, request.stages.values()) : undefined;
  return {
    from: image.name,
    repository: formatReference({ registry, repository }),
    digest: image.digest,
    ...(image.release !== undefined && { release: image.release }),
    ...(typeof to !== "string" && { stage: to.name }),
    ...(ungated && { ungated: ungated.name }),
    to: target.repository,
    tags,
    ...(isNew && (await place.mustCreate()) && { create: true }),
    gates: moves && typeof to !== "string" ? await pass(image, to, target, request, placeOf, call) : [],
    leftOut: target.leftOut,
  };
}

async function pass(
  image: Found,
  stage: Stage,
  target: Target,
  request: PromotionRequest,
  placeOf: (repository: string) => Place,
  call: Call,
): Promise<Promotion["gates"]> {
  const { now, gates } = request;
  const first = stage.from === undefined ? undefined : request.stages.get(stage.from);
  const before = first && (await readBefore(image, first, placeOf, call));
  const since = before ? before.since : await sinceBuilt(image, stage, call);
  const subject: Subject = {
    reference: image.name,
    digest: image.digest,
    stage: stage.name,
    to: target.repository,
    tags: target.tags.map(({ tag }) => tag),
    attached: stage.gates.requires ? await readAttached(image.store, image.digest, call) : new Set(),
    ...(since && { since }),
    ...(before && { before }),
  };
  return passGates(gatesOf(stage.gates, { ...gates, now: now() }), subject, { ...call, now });
}

async function sinceBuilt({ store, digest }: Found, { gates }: Stage, call: Call): Promise<Subject["since"]> {
  const time = gates.age === undefined ? undefined : await builtAt(store, digest, call);
  return time === undefined ? undefined : { time, what: "it was built" };
}

/** Whether a stage has an image, by its tags or by a receipt, and since when; it has it no more once it went back from it. */
async function readBefore(
  image: Found,
  stage: Stage,
  placeOf: (repository: string) => Place,
  call: Call,
): Promise<{ stage: string; has: boolean; since?: NonNullable<Subject["since"]> }> {
  const { repository, tags } = targetAt(image, stage, {});
  const { store } = placeOf(repository);
  const receipts = (await readReceipts(store, image.digest, call)).map(({ receipt }) => receipt);
  const last = receipts.find(({ to, stage: name }) => to === repository && name === stage.name);
  const named = await Promise.all(tags.map(async ({ tag }) => (await store.head(tag, call))?.digest));
  const time = last && Date.parse(last.when);
  const since = time !== undefined && { since: { time, what: `it came to ${stage.name}` } };
  const others = new Set(named.filter((digest) => digest !== undefined && digest !== image.digest));
  for (const digest of others) {
    const wentBack = (await readReceipts(store, digest!, call)).some(
      ({ receipt: { kind, to, when, tags: moved } }) =>
        kind === "rollback" &&
        to === repository &&
        moved.some((one) => one.before === image.digest) &&
        Date.parse(when) > (time ?? 0),
    );
    if (wentBack) return { stage: stage.name, has: false };
  }
  return { stage: stage.name, has: last !== undefined || named.includes(image.digest), ...since };
}
