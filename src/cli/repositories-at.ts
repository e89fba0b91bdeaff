import { formatReference, parseLocation, RegistryError, type Client } from "../index.ts";
import { parsePattern } from "../policy/index.ts";
import type { Cli } from "./cli.ts";
import { hostOf, mayBeImage } from "./host-or-image.ts";
import { repositoriesOf } from "./repositories.ts";

/** Repositories that a word names: one, those of a registry that a pattern fits, or all of a registry. */
export type RepositoriesAt =
  | { readonly repository: string }
  | { readonly host: string; readonly prefix: string; readonly fits: (repository: string) => boolean };

/** Reads `HOST/REPOSITORY`, `HOST/team/**` or `HOST`. Throws INVALID for what names an image, or no registry. */
export function parseRepositories(place: string): RepositoriesAt {
  const bare = place.replace(/^docker:\/\//, "");
  const host = hostOf(bare);
  if (host !== undefined && !mayBeImage(host)) return { host, prefix: "", fits: () => true };
  if (!/[*?[\]{}]/.test(bare)) return { repository: repositoryIn(bare) };
  const slash = bare.indexOf("/");
  const named = slash < 0 ? undefined : hostOf(bare.slice(0, slash));
  if (named === undefined) {
    throw new RegistryError("INVALID", `${JSON.stringify(place)} is a pattern without a registry`, {
      hint: "write its host before it, such as registry.example/team/**",
    });
  }
  const pattern = bare.slice(slash + 1);
  const [prefix = ""] = /^[^*?[\]{}]*/.exec(pattern) ?? [];
  return { host: named, prefix, fits: parsePattern(pattern).fits };
}

function repositoryIn(place: string): string {
  const location = parseLocation(place);
  if (location.transport !== "registry") {
    throw new RegistryError("INVALID", `${JSON.stringify(place)} is no repository of a registry`, {
      hint: "write HOST/REPOSITORY",
    });
  }
  const { registry, repository, tag, digest } = location.reference;
  const name = formatReference({ registry, repository });
  if (tag === undefined && digest === undefined) return name;
  throw new RegistryError("INVALID", `${place} names an image, and this is about a repository`, {
    hint: `write ${name}`,
  });
}

/** What of it to connect to. */
export const connectionOf = (at: RepositoriesAt): string => ("repository" in at ? at.repository : at.host);

/** The names of the repositories, with their host. */
export async function* repositoriesAt(
  at: RepositoriesAt,
  client: Client,
  cli: Pick<Cli, "get" | "signal">,
): AsyncGenerator<string, void> {
  if ("repository" in at) {
    yield at.repository;
    return;
  }
  const { host, prefix, fits } = at;
  for await (const { name } of repositoriesOf(client, host, prefix, cli)) if (fits(name)) yield `${host}/${name}`;
}
