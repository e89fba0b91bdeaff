import { join } from "node:path";
import {
  formatReference,
  isIndexType,
  type Call,
  type Client,
  type Digest,
  type ImageInfo,
  type Location,
  type OpenService,
  type Opened,
  type SizeKind,
  type Store,
} from "../index.ts";
import type { Cli } from "./cli.ts";
import { absent, isImage, manifestOf, platformOf, sizeOf, summarize } from "./image.ts";
import { inOrder, mapped } from "./in-order.ts";
import { exists } from "./local-image.ts";
import { long } from "./options.ts";
import type { Column } from "./render/table.ts";
import { formatMoment, formatSize } from "./render/text.ts";

/** An image as it is listed. */
interface ImageEntry extends Omit<ImageInfo, "tags" | "content"> {
  readonly reference: string;
}
interface TagEntry extends ImageEntry {
  readonly tag: string;
}
interface ImageWithTags extends ImageEntry {
  /** Its tags. */
  readonly tagged: readonly string[];
}

const size: Column<ImageEntry> = {
  title: "SIZE",
  value: (item) => (item.size === undefined ? "-" : formatSize(item.size)),
  right: true,
};
const platforms: Column<ImageEntry> = { title: "PLATFORMS", value: (item) => item.platforms?.join(", ") || "-" };
/** What services tell beside. */
const moments: readonly Column<ImageEntry>[] = [
  { title: "PUSHED", value: (item) => formatMoment(item.pushed), ifTold: true },
  { title: "PULLED", value: (item) => formatMoment(item.pulled), ifTold: true },
];
const states: readonly Column<ImageEntry>[] = [
  {
    title: "IMMUTABLE",
    value: ({ immutable }) => (immutable === undefined ? "" : immutable ? "yes" : "no"),
    ifTold: true,
  },
  { title: "STATE", value: (item) => item.state ?? "", ifTold: true },
];
const tagColumns: readonly Column<TagEntry>[] = [
  { title: "TAG", value: (item) => item.tag },
  { title: "DIGEST", value: (item) => item.digest ?? "-" },
  size,
  ...moments,
  { title: "CREATED", value: (item) => formatMoment(item.created), ifTold: true },
  platforms,
  ...states,
];
const imageColumns: readonly Column<ImageWithTags>[] = [
  { title: "DIGEST", value: (item) => item.digest ?? "-" },
  { title: "TAGS", value: (item) => item.tagged.join(", ") || "-" },
  size,
  ...moments,
  { title: "CREATED", value: (item) => formatMoment(item.created), ifTold: true },
  platforms,
  { title: "ARTIFACT", value: (item) => item.artifactType ?? "", ifTold: true },
  ...states,
];

/** Lists the tags of a place; with --long what they are, by the cheapest calls that the service has where it is known. */
export async function listTags(place: string, cli: Cli): Promise<void> {
  const { get, out, signal } = cli;
  const client = await cli.client({ from: [place] });
  const opened = client.open(place);
  const { store } = opened;
  const at = await nameOf(opened);
  if (!get(long)) {
    const entries = mapped(store.tags({ signal }), (tag) => ({ tag, reference: `${at}:${tag}` }));
    return out.list(entries, ({ tag }) => `${tag}\n`);
  }
  const told = await imagesService(client, opened.location);
  const tags = told ? undefined : await begun(store.tags({ signal }));
  // The first tags came with what the registry says of itself.
  const service = told ?? (await imagesService(client, opened.location));
  if (!service) return out.list(detailed(store, at, signal, tags), tagColumns);
  const kinds = new Set<SizeKind>();
  await out.list(tagged(noted(service.images(repositoryOf(opened), { signal }), kinds), at), tagColumns);
  sayKinds(kinds, cli);
}

/** Lists images by digest, those without a tag too where the service tells of such; without --long the digests alone. */
export async function listImages(place: string, cli: Cli): Promise<void> {
  const { get, out, signal } = cli;
  const client = await cli.client({ from: [place] });
  const opened = client.open(place);
  const at = await nameOf(opened);
  const kinds = new Set<SizeKind>();
  const images = noted(await imagesIn(client, opened, at, { signal }), kinds);
  const entries = mapped(byDigest(images), ({ tags: tagged, content: _content, ...image }): ImageWithTags => {
    const { digest } = image;
    const reference = digest ? `${at}@${digest}` : `${at}:${tagged[0]}`;
    return { reference, tagged, ...(get(long) ? image : digest && { digest }) };
  });
  await out.list(entries, get(long) ? imageColumns : ({ digest, tagged }) => `${digest ?? tagged[0]}\n`);
  sayKinds(kinds, cli);
}

/** The images of a repository as its service has them, or of a local place by their tags. */
async function imagesIn(
  client: Client,
  opened: Opened,
  at: string,
  call: Call & { readonly signal: AbortSignal },
): Promise<AsyncIterable<ImageInfo>> {
  const { location, store } = opened;
  if (location.transport === "registry") {
    return (await client.service(location.reference.registry, call)).images(repositoryOf(opened), call);
  }
  return mapped(detailed(store, at, call.signal), ({ tag, reference: _reference, ...image }) => ({
    tags: [tag],
    ...image,
  }));
}

/** The place as its tags are written behind it. Throws where there is no such local place: that is a mistake to who looks. */
async function nameOf({ location, store }: Opened): Promise<string> {
  if (location.transport !== "registry") {
    if (!(await isPlace(location))) throw absent(store.name);
    return store.name;
  }
  return formatReference({ registry: location.reference.registry, repository: location.reference.repository });
}

function repositoryOf({ location }: Opened): string {
  return location.transport === "registry" ? location.reference.repository : location.path;
}

/** The service that has a list of images of its own, where it is known without asking. */
async function imagesService(client: Client, location: Location): Promise<OpenService | undefined> {
  if (location.transport !== "registry") return undefined;
  const service = await client.knownService(location.reference.registry);
  return service?.provider.abilities.images.how === "native" ? service : undefined;
}

async function* tagged(images: AsyncIterable<ImageInfo>, at: string): AsyncGenerator<TagEntry, void> {
  for await (const { tags, content: _content, ...image } of images) {
    for (const tag of tags) yield { tag, reference: `${at}:${tag}`, ...image };
  }
}

/** Each image that has a name once, with all its tags: a service that lists tags has it once for each. */
async function* byDigest(images: AsyncIterable<ImageInfo>): AsyncGenerator<ImageInfo, void> {
  const known = new Map<Digest | symbol, ImageInfo>();
  for await (const image of images) {
    if (!image.digest && image.tags.length === 0) continue;
    const key = image.digest ?? Symbol("an image of which no digest is told");
    const tags = [...new Set([...(known.get(key)?.tags ?? []), ...image.tags])];
    known.set(key, { ...image, ...known.get(key), tags });
  }
  yield* known.values();
}

async function* noted(images: AsyncIterable<ImageInfo>, kinds: Set<SizeKind>): AsyncGenerator<ImageInfo, void> {
  for await (const image of images) {
    if (image.size !== undefined && image.sizeKind) kinds.add(image.sizeKind);
    yield image;
  }
}

const kindNotes: Readonly<Partial<Record<SizeKind, string>>> = {
  "largest child": "the size of an index is that of its largest image",
  "children, shared counted twice": "the size of an index counts what its images share more than once",
  unexplained: "what the sizes count is not said by the service",
};

/** Sizes that are not what the same column says elsewhere are explained. */
function sayKinds(kinds: ReadonlySet<SizeKind>, { get, reporter }: Cli): void {
  if (!get(long)) return;
  for (const kind of kinds) if (kindNotes[kind]) reporter.say(`note: ${kindNotes[kind]}`);
}

/** Whether there is a layout, archive or directory to look into. */
async function isPlace({ transport, path }: Exclude<Location, { transport: "registry" }>): Promise<boolean> {
  return path === "-" || exists(transport === "oci" ? join(path, "index.json") : path);
}

/** A list whose first entry has been asked for. */
async function begun<T>(list: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const entries = list[Symbol.asyncIterator]();
  const first = await entries.next();
  return (async function* () {
    for (let next = first; !next.done; next = await entries.next()) yield next.value;
  })();
}

/** The tags of a store with what they are, each read. */
function detailed(
  store: Store,
  at: string,
  signal: AbortSignal,
  tags: AsyncIterable<string> = store.tags({ signal }),
): AsyncIterable<TagEntry> {
  return inOrder(tags, async (tag) => ({
    tag,
    reference: `${at}:${tag}`,
    ...(await details(store, tag, signal)),
  }));
}

/** Reads what a tag is; a tag that went away meanwhile has no details. */
async function details(store: Store, tag: string, signal: AbortSignal): Promise<Partial<ImageInfo>> {
  const root = await store.manifest(tag, { signal });
  if (!root) return {};
  const { digest, mediaType } = root.descriptor;
  const entries = root.manifests.filter(isImage);
  const images = isIndexType(mediaType)
    ? await Promise.all(
        entries.map((child) => manifestOf(store, child.digest, `${store.name}@${child.digest}`, signal)),
      )
    : [root];
  const first =
    images[0] && !isIndexType(images[0].descriptor.mediaType) ? await summarize(store, images[0], signal) : undefined;
  const listed = entries.map(platformOf).filter((name) => name !== undefined);
  const platforms = listed.length > 0 ? listed : first?.platform ? [first.platform] : [];
  return {
    digest,
    mediaType,
    size: sizeOf([root, ...images]),
    platforms,
    ...(first?.created && { created: first.created }),
  };
}
