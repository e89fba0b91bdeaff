import { access } from "node:fs/promises";
import type { Client } from "../client.ts";
import { doing } from "../files/file-error.ts";
import { attachments, type Attachment, type Attachments } from "../graph/attachments.ts";
import { readAttached } from "../graph/read-attached.ts";
import { imageConfig } from "../graph/config.ts";
import { selectPlatforms } from "../graph/select.ts";
import { subjectOfTag } from "../graph/needed.ts";
import { nestingLimit } from "../graph/nesting.ts";
import { manifestAt } from "../graph/sides.ts";
import type { Semaphore } from "../graph/semaphore.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { isDigest, type Digest } from "../oci/digest.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isIndexType } from "../oci/media-types.ts";
import { parsePlatform } from "../oci/platform.ts";
import type { TagFacts } from "../policy/sync/select.ts";
import type { Origin } from "../policy/sync/template.ts";
import type { ImageInfo } from "../provider/service.ts";
import type { Call, Store } from "../store/store.ts";
import type { Handed } from "./handed.ts";
import { messageOf } from "./message.ts";

/** A source as it is read for a plan: each question is asked once, and a service's own listing answers where that takes fewer requests. */
export interface SourceView {
  /** Throws NAME_UNKNOWN. */
  tags(): Promise<readonly string[]>;
  /** The tags that name what is attached to a digest. */
  attachedTags(subject: Digest): Promise<readonly string[]>;
  /**
   * What tags and digests name; those that are not there are missing. Fails each on its own. Those that will be copied are
   * read whole and handed on, where that costs no more than the question.
   */
  targets(refs: readonly string[], copied: ReadonlySet<string>): Promise<ReadonlyMap<string, Found>>;
  /** When the images of tags were built or pushed, as far as anybody tells. */
  times(tags: readonly string[], kinds: ReadonlySet<"created" | "pushed">): Promise<ReadonlyMap<string, TagFacts>>;
  /** The digest that an image has where these platforms alone are copied. */
  digestFor(digest: Digest, platforms: readonly string[]): Promise<Digest>;
  /** The manifests that an image is made of, itself among them; those of chosen platforms, too, where some are chosen. */
  parts(digest: Digest, platforms: readonly string[] | undefined): Promise<readonly Digest[]>;
  /** What an image is made of, and with `referrers` what is attached to it: each manifest and blob, in bytes. */
  weight(
    digest: Digest,
    options: { readonly platforms?: readonly string[]; readonly referrers: boolean },
  ): Promise<ReadonlyMap<Digest, number>>;
  /** The kinds and artifact types of what is attached to the image itself. */
  attachedTypes(digest: Digest): Promise<ReadonlySet<string>>;
  /** All that is attached to an image, or to what those platforms make of it, and to what it is made of. */
  attached(
    digest: Digest,
    platforms?: readonly string[],
  ): Promise<readonly (Attachment & { readonly manifest: Manifest })[]>;
}

export type Found = (Pick<Descriptor, "digest"> & { readonly mediaType?: string }) | { readonly error: unknown };

export interface SourceViewOptions {
  readonly room: Semaphore;
  readonly call: Call;
  readonly handed?: Handed;
}

export function sourceView(client: Client, origin: Origin, { room, call, handed }: SourceViewOptions): SourceView {
  const { store: opened, location } = client.open(origin.place, "pull");
  let listed: Promise<readonly string[]> | undefined;
  const list = async (): Promise<readonly string[]> => {
    const found = await Array.fromAsync(opened.tags(call));
    // A folder that is not there lists nothing; a source has to be there.
    if (found.length === 0 && location.transport !== "registry" && location.path !== "-")
      await doing(`read ${origin.place}`, () => access(location.path));
    handed?.keepTags(origin.place, found);
    return found;
  };
  const tags = (): Promise<readonly string[]> => (listed ??= room(list));
  const store: Store = {
    ...opened,
    async *tags() {
      yield* await tags();
    },
  };
  let told: Promise<ReadonlyMap<string, ImageInfo>> | undefined;
  const listing = (): Promise<ReadonlyMap<string, ImageInfo>> => (told ??= serviceListing(client, origin, call));
  const manifests = new Map<string, Promise<Manifest>>();
  const manifest = (ref: string): Promise<Manifest> => {
    const known = manifests.get(ref) ?? room(() => manifestAt(opened, ref, call.signal));
    manifests.set(ref, known);
    return known;
  };
  let around: Attachments | undefined;
  let bySubject: Promise<ReadonlyMap<Digest | undefined, readonly string[]>> | undefined;
  const whole = async (ref: string): Promise<Descriptor | undefined> => {
    const found = await opened.manifest(ref, call);
    if (found) handed?.keepManifest(origin.place, found);
    return found?.descriptor;
  };
  const chosen = async (digest: Digest, platforms: readonly string[] = []): Promise<Manifest> => {
    const root = await manifest(digest);
    return room(() => selectPlatforms(opened, root, platforms.map(parsePlatform), call));
  };

  const view: SourceView = {
    tags,
    async attachedTags(subject) {
      bySubject ??= tags().then((names) => Map.groupBy(names, subjectOfTag));
      return (await bySubject).get(subject) ?? [];
    },
    async targets(refs, copied) {
      if (refs.length === 0) return new Map();
      const service = await knownService(client, origin);
      const page = service && pageSize(service);
      // Where pulls are recorded, the copy's own would be. Where they are limited, the copy may have to wait for the next run.
      const isFree = origin.registry !== undefined && service?.provider.quirks.manifestGet !== "limited";
      const count = page === undefined || refs.length < 3 ? Infinity : (await tags()).length;
      // As many requests as the service's own listing has pages, or one for each tag.
      const cheap = page !== undefined && refs.length > Math.ceil(count / page) + 1;
      const known = cheap || told ? await listing() : undefined;
      const found = refs.map(async (ref): Promise<[string, Found] | undefined> => {
        const info = known?.get(ref);
        if (info?.digest && info.state === undefined)
          return [ref, { digest: info.digest, ...(info.mediaType && { mediaType: info.mediaType }) }];
        try {
          const isRead = isFree && handed?.hasRoom && copied.has(ref);
          const descriptor = await room(() => (isRead ? whole(ref) : opened.head(ref, call)));
          return descriptor && [ref, descriptor];
        } catch (error) {
          if (call.signal?.aborted) throw error;
          return [ref, { error }];
        }
      });
      return new Map((await Promise.all(found)).filter((one) => one !== undefined));
    },
    async times(names, kinds) {
      const known = await listing();
      if (kinds.has("pushed") && known.size === 0 && names.length > 0) {
        throw new RegistryError("UNSUPPORTED", `${origin.place}: nobody tells when its images were pushed`, {
          hint: "go by created, semver or name",
        });
      }
      const facts = names.map(async (tag): Promise<[string, TagFacts]> => {
        const info = known.get(tag);
        const pushed = momentOf(info?.pushed);
        try {
          const created = momentOf(info?.created) ?? (kinds.has("created") ? await builtAt(tag) : undefined);
          return [tag, { ...(created !== undefined && { created }), ...(pushed !== undefined && { pushed }) }];
        } catch (error) {
          if (call.signal?.aborted) throw error;
          return [tag, { failed: messageOf(error) }];
        }
      });
      return new Map(await Promise.all(facts));
    },
    async digestFor(digest, platforms) {
      return (await chosen(digest, platforms)).descriptor.digest;
    },
    async parts(digest, platforms) {
      const made = platforms ? [await view.digestFor(digest, platforms)] : [];
      const below = async (one: Digest, depth: number): Promise<readonly Digest[]> => {
        if (depth > nestingLimit) return [one];
        const { manifests: children } = await manifest(one);
        const parts = children.map(async (child) =>
          isIndexType(child.mediaType) ? below(child.digest, depth + 1) : [child.digest],
        );
        return [one, ...(await Promise.all(parts)).flat()];
      };
      return [...made, ...(await below(digest, 1))];
    },
    async weight(digest, { platforms, referrers }) {
      const sizes = new Map<Digest, number>();
      const weigh = async ({ descriptor, blobs, manifests: children }: Manifest, depth: number): Promise<void> => {
        for (const one of [descriptor, ...blobs]) sizes.set(one.digest, one.size);
        if (depth > nestingLimit) return;
        await Promise.all(children.map(async (child) => weigh(await manifest(child.digest), depth + 1)));
      };
      await weigh(await chosen(digest, platforms), 1);
      const attached = referrers ? await view.attached(digest, platforms) : [];
      await Promise.all(attached.map(async (one) => weigh(one.manifest, 1)));
      return sizes;
    },
    attachedTypes: (digest) => readAttached({ ...store, manifest: async (ref) => manifest(ref) }, digest, call),
    async attached(digest, platforms) {
      const root = await chosen(digest, platforms);
      const image = {
        image: `${origin.place}@${digest}`,
        ...call,
        manifest: (one: Descriptor) => manifest(one.digest),
      };
      around ??= attachments(store);
      return (await Array.fromAsync(around.of(root, image))).flat();
    },
  };
  return view;

  /** When an image says it was built; of an index, its first image. */
  async function builtAt(tag: string): Promise<number | undefined> {
    let image = await manifest(tag);
    for (let depth = 0; depth < nestingLimit && !image.config && image.manifests[0]; depth++)
      image = await manifest(image.manifests[0].digest);
    if (!image.config) return undefined;
    return room(async () => momentOf((await imageConfig(opened, image, call)).config?.created));
  }
}

function momentOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}

type KnownService = Awaited<ReturnType<Client["knownService"]>>;

/** The service of a registry; undefined for another place, and where nobody knows which it is. */
async function knownService(client: Client, { registry }: Origin): Promise<KnownService> {
  return registry === undefined ? undefined : client.knownService(registry);
}

/** How many images a page of the service's own listing has; undefined where it has none. */
function pageSize(service: NonNullable<KnownService>): number | undefined {
  if (service.provider.abilities.images.how !== "native") return undefined;
  const { pages } = service.provider.quirks;
  return pages.api ?? pages.tags;
}

/** The images that the service lists, by their tags; none where it does not list them to this login. */
async function serviceListing(client: Client, origin: Origin, call: Call): Promise<ReadonlyMap<string, ImageInfo>> {
  const byTag = new Map<string, ImageInfo>();
  const service = await knownService(client, origin);
  if (service?.provider.abilities.images.how !== "native") return byTag;
  try {
    for await (const info of service.images(origin.repository, call)) for (const tag of info.tags) byTag.set(tag, info);
  } catch (error) {
    if (!isRegistryError(error, "UNSUPPORTED", "UNAUTHORIZED", "DENIED", "NAME_UNKNOWN")) throw error;
    return new Map();
  }
  return byTag;
}

/** Whether a reference is a digest, which names itself. */
export const asDigest = (ref: string | undefined): Digest | undefined =>
  ref !== undefined && isDigest(ref) ? ref : undefined;
