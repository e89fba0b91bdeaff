import { formatReference, RegistryError, type Client, type OpenService } from "../index.ts";
import type { Cli } from "./cli.ts";
import { mayBeImage } from "./host-or-image.ts";
import { hostOf } from "./host-or-image.ts";

/** A repository, at the service that its registry belongs to. */
export interface ServedRepository {
  /** With its host. */
  readonly name: string;
  readonly host: string;
  readonly repository: string;
  readonly service: OpenService;
}

/** Opens `HOST/REPOSITORY` at its service, by a client of its own unless one is given; throws INVALID for what names anything else. */
export async function openRepository(place: string, cli: Cli, client?: Client): Promise<ServedRepository> {
  const { tag, digest, ...opened } = await openServed(place, cli, client);
  if (tag === undefined && digest === undefined) return opened;
  throw new RegistryError("INVALID", `${place} names an image, and this is about a repository`, {
    hint: `write ${opened.name}`,
  });
}

/** Opens an image at its service; without tag and digest, `latest`. */
export async function openServedImage(place: string, cli: Cli): Promise<ServedRepository & { readonly ref: string }> {
  const { tag = "latest", digest, ...opened } = await openServed(place, cli);
  return { ...opened, ref: digest ?? tag };
}

async function openServed(
  place: string,
  { client, signal }: Cli,
  given?: Client,
): Promise<ServedRepository & { readonly tag?: string; readonly digest?: string }> {
  const host = hostOf(place);
  if (host !== undefined && !mayBeImage(host)) {
    throw new RegistryError("INVALID", `${JSON.stringify(place)} names a registry, and no repository in it`, {
      hint: "write HOST/REPOSITORY",
    });
  }
  const connected = given ?? (await client({ from: [place] }));
  const { location } = connected.open(place);
  if (location.transport !== "registry") {
    throw new RegistryError("INVALID", `${JSON.stringify(place)} is no repository of a registry`, {
      hint: "write HOST/REPOSITORY",
    });
  }
  const { registry, repository, tag, digest } = location.reference;
  return {
    name: formatReference({ registry, repository }),
    host: registry,
    repository,
    service: await connected.service(registry, { signal }),
    ...(tag !== undefined && { tag }),
    ...(digest && { digest }),
  };
}

/** Opens a registry, named by its host alone, at its service; throws INVALID for what names anything else. */
export async function openHost(
  place: string,
  { client, signal }: Cli,
): Promise<{ readonly host: string; readonly service: OpenService }> {
  const host = hostOf(place);
  if (host === undefined) {
    throw new RegistryError("INVALID", `${JSON.stringify(place)} does not name a registry`, {
      hint: "write its host, such as registry.example",
    });
  }
  return { host, service: await (await client({ from: [host] })).service(host, { signal }) };
}

/** Reads `HOST` or `HOST/PREFIX`; throws INVALID for what names no registry. */
export function parseHostAndPrefix(place: string): { readonly host: string; readonly prefix: string } {
  const bare = place.replace(/^docker:\/\//, "");
  const slash = bare.indexOf("/");
  const host = hostOf(slash < 0 ? bare : bare.slice(0, slash));
  if (host !== undefined) return { host, prefix: slash < 0 ? "" : bare.slice(slash + 1) };
  throw new RegistryError("INVALID", `${JSON.stringify(place)} does not name a registry`, {
    hint: "write its host, such as registry.example or registry.example/team",
  });
}
