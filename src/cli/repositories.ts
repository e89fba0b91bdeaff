import { isRegistryError, type Client, type OpenService, type RepositoryInfo } from "../index.ts";
import type { Cli } from "./cli.ts";
import { inOrder, mapped } from "./in-order.ts";
import { long } from "./options.ts";
import type { Column } from "./render/table.ts";
import { formatMoment, formatSize } from "./render/text.ts";

/** A repository as it is listed: what the service tells of it with the list. */
export interface RepositoryEntry extends Omit<RepositoryInfo, "name"> {
  readonly repository: string;
  readonly reference: string;
}

const told = (value: number | undefined): string => (value === undefined ? "" : String(value));
const columns: readonly Column<RepositoryEntry>[] = [
  { title: "REPOSITORY", value: (item) => item.repository },
  { title: "TAGS", value: (item) => told(item.tags), right: true, ifTold: true },
  { title: "IMAGES", value: (item) => told(item.images), right: true, ifTold: true },
  { title: "SIZE", value: ({ size }) => (size === undefined ? "" : formatSize(size)), right: true, ifTold: true },
  { title: "CREATED", value: (item) => formatMoment(item.created), ifTold: true },
  { title: "UPDATED", value: (item) => formatMoment(item.updated), ifTold: true },
  { title: "VISIBILITY", value: (item) => item.visibility ?? "", ifTold: true },
  { title: "IMMUTABLE", value: immutable, ifTold: true },
  { title: "STARS", value: (item) => told(item.stars), right: true, ifTold: true },
  { title: "PULLS", value: (item) => told(item.pulls), right: true, ifTold: true },
  { title: "STATE", value: (item) => item.state ?? "", ifTold: true },
];

function immutable({ immutability }: RepositoryEntry): string {
  if (!immutability) return "";
  const { tags, except = [] } = immutability;
  return except.length > 0 ? "in part" : tags === "immutable" ? "yes" : "no";
}

/** Writes repositories of a host: their names, or with --long what there is to be told of them. */
export async function writeRepositories(
  host: string,
  repositories: AsyncIterable<RepositoryInfo>,
  { get, out }: Cli,
): Promise<void> {
  const entry = ({ name, ...info }: RepositoryInfo): RepositoryEntry => ({
    repository: name,
    reference: `${host}/${name}`,
    ...(get(long) && info),
  });
  const entries = mapped(repositories, entry);
  return out.list(entries, get(long) ? columns : ({ repository }) => `${repository}\n`);
}

/** The repositories that a service lists; with `long`, each is asked about where the list has but names. */
export function servedRepositories(
  service: OpenService,
  prefix: string,
  { get, signal }: Pick<Cli, "get" | "signal">,
): AsyncIterable<RepositoryInfo> {
  const listed = service.listRepositories(prefix, { signal });
  if (!get(long) || service.provider.abilities.listRepositories.how === "native") return listed;
  return inOrder(listed, async (info) => ({ ...(await service.describeRepository(info.name, { signal })), ...info }));
}

/**
 * The repositories of a registry: as its service lists them where that is known without asking; else by the catalog and,
 * where that refuses, by the service after all.
 */
export async function* repositoriesOf(
  client: Client,
  host: string,
  prefix: string,
  cli: Pick<Cli, "get" | "signal">,
): AsyncGenerator<RepositoryInfo, void> {
  const known = await client.knownService(host);
  if (known) {
    yield* servedRepositories(known, prefix, cli);
    return;
  }
  let any = false;
  try {
    for await (const info of cataloged(client, host, prefix, cli)) {
      any = true;
      yield info;
    }
  } catch (refusal) {
    if (any || !isRefusal(refusal)) throw refusal;
    const service = await client.service(host, { signal: cli.signal }).catch(() => undefined);
    if (service?.provider.abilities.listRepositories.how !== "native") throw refusal;
    yield* servedRepositories(service, prefix, cli);
  }
}

function cataloged(
  client: Client,
  host: string,
  prefix: string,
  { get, signal }: Pick<Cli, "get" | "signal">,
): AsyncIterable<RepositoryInfo> {
  const registry = client.registry(host);
  const names = registry.repositories(prefix, { signal });
  if (!get(long)) return mapped(names, (name) => ({ name }));
  return inOrder(names, async (name) => {
    const tags = await Array.fromAsync(registry.repository(name).tags({ signal }));
    return { name, tags: tags.length };
  });
}

/** Whether a registry has no catalog, or none for this login. */
function isRefusal(error: unknown): boolean {
  return (
    isRegistryError(error, "DENIED", "NAME_UNKNOWN", "UNSUPPORTED") ||
    (isRegistryError(error, "UNAUTHORIZED") && error.credential !== undefined)
  );
}
