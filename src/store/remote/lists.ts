import { isRegistryError, type RegistryError } from "../../oci/error.ts";
import { isRepository, isTag } from "../../oci/reference.ts";
import type { Res } from "../../transport/transport.ts";
import type { Call } from "../store.ts";
import { failure, recoded, type Attempt } from "./answer.ts";
import { listNames, pageSize } from "./pages.ts";
import type { Remote, RemoteRepository } from "./remote.ts";

const query = { n: `${pageSize}` };

/** All tags of a repository, as the registry orders them; throws NAME_UNKNOWN where there is no such repository. */
export async function* listTags(at: RemoteRepository, call?: Call): AsyncGenerator<string, void> {
  const attempt: Attempt = { what: `list the tags of ${at.name}`, host: at.registry, absent: "NAME_UNKNOWN" };
  const tags = listNames(at, {
    url: at.url("tags/list", query),
    field: "tags",
    attempt,
    async refused(response) {
      const error = await failure(response, attempt);
      if (isRegistryError(error, "NAME_UNKNOWN")) at.shared.absent.add(at.repository);
      return error;
    },
    signal: call?.signal,
  });
  for await (const tag of tags) if (isTag(tag)) yield tag;
}

/** The repositories of a registry that start with `prefix`; throws UNSUPPORTED where it does not list them. */
export async function* listRepositories(at: Remote, prefix = "", call?: Call): AsyncGenerator<string, void> {
  const attempt: Attempt = { what: `list the repositories of ${at.registry}`, host: at.registry };
  const refused = async (response: Res): Promise<RegistryError> => {
    const error = await failure(response, attempt);
    if (response.status !== 404 && response.status !== 405) return error;
    const hint = `${at.registry} does not list repositories, or not to this account: name the repository instead`;
    return recoded(error, "UNSUPPORTED", hint);
  };
  const names = listNames(at, {
    url: at.url("_catalog", query),
    field: "repositories",
    attempt,
    refused,
    signal: call?.signal,
  });
  for await (const name of names) if (name.startsWith(prefix) && isRepository(name)) yield name;
}
