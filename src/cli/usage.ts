import {
  RegistryError,
  streamOf,
  usageOf,
  type Client,
  type ImageUsage,
  type Inventory,
  type RepositoryUsage,
  type Usage,
} from "../index.ts";
import { parsePattern } from "../policy/index.ts";
import type { Cli } from "./cli.ts";
import { writeWhole } from "./files.ts";
import { hostOf } from "./host-or-image.ts";
import { inOrder } from "./in-order.ts";
import { count, plain } from "./render/text.ts";
import { repositoriesOf } from "./repositories.ts";
import { htmlOption, sortOption, topOption, treeOption, type UsageOrder } from "./table/usage-options.ts";
import { usageTables, usageTree } from "./usage-text.ts";

/** Tells what a repository, the repositories of a host, or a local place take up. */
export async function listUsage(place: string, cli: Cli): Promise<void> {
  const { get, out, reporter } = cli;
  const client = await cli.client({ from: [many(place)?.host ?? place] });
  const inventories = await read(client, place, cli);
  if (inventories.length === 0) throw new RegistryError("NAME_UNKNOWN", `there are no images in ${place}`);
  const usage = sorted(usageOf(inventories), get(sortOption) ?? "size");
  const file = get(htmlOption);
  if (file !== undefined) {
    const { usagePage } = await import("./usage-page.ts");
    const page = Buffer.from(usagePage(place, usage, new Date()));
    if (file === "-") await out.document(page);
    else {
      await writeWhole(file, streamOf(page), cli.signal);
      reporter.say(`wrote ${file}`);
    }
  }
  if (file !== "-") {
    const most = get(topOption);
    const shown = most === undefined ? usage : cut(usage, most);
    await out.list([{ reference: place, usage: shown }], (one, look) =>
      get(treeOption) ? usageTree(one.usage, usage, look) : usageTables(one.usage, usage, look),
    );
  }
  tellGaps(inventories, cli);
}

/** Throws where something could not be read: what was told is not all. */
function tellGaps(inventories: readonly Inventory[], { reporter }: Pick<Cli, "reporter">): void {
  const gaps = inventories.flatMap((one) => one.gaps);
  if (gaps.length === 0) return;
  for (const { at, why } of gaps.slice(0, 10)) reporter.say(plain(`${at} is not counted: ${why}`));
  throw new RegistryError(
    "PARTIAL",
    `${count(gaps.length, "place")} could not be read, and what is there is not counted`,
  );
}

/** The host of a place that stands for many repositories, and what their names are to be like; undefined for any other place. */
function many(place: string): { readonly host: string; readonly name: string } | undefined {
  const bare = place.replace(/^docker:\/\//, "");
  const slash = bare.indexOf("/");
  const host = hostOf(slash < 0 ? bare : bare.slice(0, slash));
  const name = slash < 0 ? "" : bare.slice(slash + 1);
  return host !== undefined && (name === "" || name.endsWith("/") || /[*?[{]/.test(name)) ? { host, name } : undefined;
}

async function read(client: Client, place: string, cli: Cli): Promise<readonly Inventory[]> {
  const { signal } = cli;
  const wanted = many(place);
  if (!wanted) {
    const inventory = await client.inventory(place, { signal, sparing: false });
    // A listing of what is not there looks like one of nothing.
    if (inventory.manifests.size === 0) await Array.fromAsync(client.open(place).store.tags({ signal }));
    return [inventory];
  }
  return Array.fromAsync(
    inOrder(named(client, wanted.host, wanted.name, cli), async (repository): Promise<Inventory> => {
      try {
        return await client.inventory(repository, { signal, sparing: false });
      } catch (error) {
        if (signal.aborted) throw error;
        const why = error instanceof Error ? error.message : String(error);
        const nothing = { manifests: new Map(), tags: new Map(), listsUntagged: false };
        return { repository, ...nothing, gaps: [{ at: repository, why }] };
      }
    }),
  );
}

/** The repositories of a host whose names start so or, written as a pattern, are like it. */
async function* named(client: Client, host: string, name: string, cli: Cli): AsyncGenerator<string, void> {
  const prefix = /^[^*?[{]*/.exec(name)![0];
  const pattern = prefix === name ? undefined : parsePattern(name);
  const get: Cli["get"] = (option) => option.read(undefined);
  for await (const info of repositoriesOf(client, host, prefix, { get, signal: cli.signal })) {
    if (pattern?.fits(info.name) ?? true) yield `${host}/${info.name}`;
  }
}

function sorted(usage: Usage, order: UsageOrder): Usage {
  const by = <T extends { readonly size: number; readonly frees: number }>(
    items: readonly T[],
    name: (one: T) => string,
  ) =>
    items.toSorted(
      (a, b) => (order === "name" ? 0 : b[order] - a[order]) || name(a).localeCompare(name(b), "en", { numeric: true }),
    );
  // What has no tag comes last.
  const nameOf = (image: ImageUsage): string => image.tags[0] ?? `\uFFFF${image.digest}`;
  const repositories = usage.repositories.map((one): RepositoryUsage => ({ ...one, images: by(one.images, nameOf) }));
  return { ...usage, repositories: by(repositories, (one) => one.repository) };
}

function cut({ repositories, layers, ...rest }: Usage, most: number): Usage {
  return {
    ...rest,
    repositories: repositories.slice(0, most).map((one) => ({ ...one, images: one.images.slice(0, most) })),
    layers: layers.slice(0, most),
  };
}
