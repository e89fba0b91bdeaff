import { RegistryError } from "../../oci/error.ts";
import { isRepository } from "../../oci/reference.ts";

/** A repository's project, and its name within that, which is empty for the project itself. */
export interface Place {
  readonly project: string;
  readonly name: string;
}

/** Reads a name as references have it; throws INVALID for what cannot be one. */
export function placeOf(repository: string): Place {
  if (!isRepository(repository)) {
    throw new RegistryError("INVALID", `${JSON.stringify(repository)} is no name of a repository`, {
      hint: "write project/repository, in lower case",
    });
  }
  const slash = repository.indexOf("/");
  return slash < 0
    ? { project: repository, name: "" }
    : { project: repository.slice(0, slash), name: repository.slice(slash + 1) };
}

/** The path of a project, of which the API is told by `named` that it is no number. */
export function projectPath(project: string): string {
  return `/projects/${encodeURIComponent(project)}`;
}

/** Says that the project in the path is a name: it may look like a number. */
export const named: Readonly<Record<string, string>> = { "x-is-resource-name": "true" };

/** The path of a repository; slashes in it are encoded twice, as Harbor's own router takes one encoding away. */
export function repositoryPath(repository: string): string {
  const { project, name } = placeOf(repository);
  if (name === "") {
    throw new RegistryError("INVALID", `${repository} is a project of Harbor and no repository`, {
      hint: `write the repository in it: ${repository}/NAME`,
    });
  }
  return `${projectPath(project)}/repositories/${encodeURIComponent(encodeURIComponent(name))}`;
}
