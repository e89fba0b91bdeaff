import { join } from "node:path";
import { formatReference, isIndexType, type Digest, type Location, type Store } from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { hostOf } from "../places.ts";
import { absent, isImage, manifestOf, platformOf, sizeOf, summarize } from "../image.ts";
import { exists } from "../local-image.ts";
import { long } from "../options.ts";
import type { Column } from "../render/table.ts";
import { formatMoment, formatSize } from "../render/text.ts";

export const run: Run<[place: string]> = async ([place], cli) => {
  const bare = place.replace(/^docker:\/\//, "");
  const slash = bare.indexOf("/");
  const host = hostOf(slash < 0 ? bare : bare.slice(0, slash));
  const isPrefix = slash < 0 || bare.endsWith("/");
  return host !== undefined && isPrefix
    ? listRepositories(host, slash < 0 ? "" : bare.slice(slash + 1), cli)
    : listTags(place, cli);
};

interface RepositoryEntry {
  readonly repository: string;
  readonly reference: string;
  /** How many tags it has; with --long. */
  readonly tags?: number;
}

async function listRepositories(host: string, prefix: string, { get, out, signal, client }: Cli): Promise<void> {
  const registry = (await client({ from: [host] })).registry(host);
  const names = registry.repositories(prefix, { signal });
  const entry = (repository: string): RepositoryEntry => ({ repository, reference: `${host}/${repository}` });
  if (!get(long)) return out.list(map(names, entry), ({ repository }) => `${repository}\n`);
  const counted = inOrder(names, async (name) => {
    const tags = await Array.fromAsync(registry.repository(name).tags({ signal }));
    return { ...entry(name), tags: tags.length };
  });
  return out.list(counted, [
    { title: "REPOSITORY", value: (item) => item.repository },
    { title: "TAGS", value: (item) => String(item.tags), right: true },
  ]);
}

interface TagEntry {
  readonly tag: string;
  readonly reference: string;
  readonly digest?: Digest;
  readonly mediaType?: string;
  /** Bytes of all its platforms, what they share counted once. */
  readonly size?: number;
  readonly created?: string;
  readonly platforms?: readonly string[];
}

const columns: readonly Column<TagEntry>[] = [
  { title: "TAG", value: (item) => item.tag },
  { title: "DIGEST", value: (item) => item.digest ?? "-" },
  { title: "SIZE", value: (item) => (item.size === undefined ? "-" : formatSize(item.size)), right: true },
  { title: "CREATED", value: (item) => formatMoment(item.created) || "-" },
  { title: "PLATFORMS", value: (item) => item.platforms?.join(", ") || "-" },
];

async function listTags(place: string, { get, out, signal, client }: Cli): Promise<void> {
  const { store, location } = (await client({ from: [place] })).open(place);
  const at =
    location.transport === "registry"
      ? formatReference({ registry: location.reference.registry, repository: location.reference.repository })
      : store.name;
  // A place that is not there is empty to a copy, and a mistake to who looks.
  if (location.transport !== "registry" && !(await isPlace(location))) throw absent(at);
  const entry = (tag: string): TagEntry => ({ tag, reference: `${at}:${tag}` });
  const tags = store.tags({ signal });
  if (!get(long)) return out.list(map(tags, entry), ({ tag }) => `${tag}\n`);
  return out.list(
    inOrder(tags, async (tag) => ({ ...entry(tag), ...(await details(store, tag, signal)) })),
    columns,
  );
}

/** Whether there is a layout, archive or directory to look into. */
async function isPlace({ transport, path }: Exclude<Location, { transport: "registry" }>): Promise<boolean> {
  return path === "-" || exists(transport === "oci" ? join(path, "index.json") : path);
}

/** Reads what a tag is; a tag that went away meanwhile has no details. */
async function details(store: Store, tag: string, signal: AbortSignal): Promise<Partial<TagEntry>> {
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

async function* map<T, U>(items: AsyncIterable<T>, turn: (item: T) => U): AsyncGenerator<U, void> {
  for await (const item of items) yield turn(item);
}

const atOnce = 8;

/** Works on several items at a time, and gives the results in the items' order. */
async function* inOrder<T, U>(items: AsyncIterable<T>, work: (item: T) => Promise<U>): AsyncGenerator<U, void> {
  const pending: Promise<U>[] = [];
  try {
    for await (const item of items) {
      pending.push(work(item));
      if (pending.length >= atOnce) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}
