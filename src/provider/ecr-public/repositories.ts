import type { Repository } from "@aws-sdk/client-ecr-public";
import { isAbsent, isRegistryError, RegistryError } from "../../oci/error.ts";
import { isRepository } from "../../oci/reference.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { Call } from "../../store/store.ts";
import { isAws } from "../aws/error.ts";
import { momentOf } from "../aws/images.ts";
import { labelsOf } from "../aws/labels.ts";
import type { RepositoryInfo } from "../service.ts";
import type { EcrPublic } from "./api.ts";

/** A repository of the login's own: `alias/name` in references, `name` in the API. */
export interface OwnRepository {
  readonly name: string;
  readonly repositoryName: string;
}

/** What a name is in the API; undefined where the repository belongs to somebody else. */
export async function ownRepository(ecr: EcrPublic, name: string, call?: Call): Promise<OwnRepository | undefined> {
  const [alias = "", ...rest] = name.split("/");
  const isOwn = rest.length > 0 && (await ecr.aliases(call)).has(alias);
  return isOwn ? { name, repositoryName: rest.join("/") } : undefined;
}

const pageSize = 1000;

/** All repositories of the login's account. */
export async function* listRepositories(
  { sdk, pages, host }: EcrPublic,
  prefix = "",
  call?: Call,
): AsyncGenerator<RepositoryInfo, void> {
  const question = { what: `list your repositories at ${host}`, action: "ecr-public:DescribeRepositories" };
  const all = pages(
    question,
    (nextToken, options) =>
      sdk.describeRepositories({ maxResults: pageSize, ...(nextToken !== undefined && { nextToken }) }, options),
    call,
  );
  for await (const { repositories = [] } of all) {
    for (const repository of repositories) {
      const info = infoOf(repository);
      if (info?.name.startsWith(prefix)) yield info;
    }
  }
}

function infoOf({ repositoryUri = "", createdAt }: Repository): RepositoryInfo | undefined {
  const name = repositoryUri.slice(repositoryUri.indexOf("/") + 1);
  if (!isRepository(name)) return undefined;
  const created = momentOf(createdAt);
  return { name, ...(created !== undefined && { created }), visibility: "public" };
}

/** The repository with what its page in the gallery says of it; undefined where there is none. */
export async function describeRepository(
  { sdk, ask, host }: EcrPublic,
  { name, repositoryName }: OwnRepository,
  call?: Call,
): Promise<RepositoryInfo | undefined> {
  const what = `describe ${host}/${name}`;
  try {
    const { repositories: [found] = [] } = await ask(
      { what, action: "ecr-public:DescribeRepositories" },
      (options) => sdk.describeRepositories({ repositoryNames: [repositoryName] }, options),
      call,
    );
    const info = found && infoOf(found);
    if (!info) return undefined;
    const description = await ask(
      { what, action: "ecr-public:GetRepositoryCatalogData" },
      (options) =>
        sdk.getRepositoryCatalogData({ repositoryName }, options).then(
          ({ catalogData }) => catalogData?.description,
          (error: unknown) => {
            if (isAws(error, "RepositoryCatalogDataNotFoundException")) return undefined;
            throw error;
          },
        ),
      call,
    );
    return { ...info, name, ...(description && { description: plainText(description) }) };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

export async function createRepository(
  { sdk, ask, host }: EcrPublic,
  { name, repositoryName }: OwnRepository,
  call?: Call,
): Promise<"created" | "exists"> {
  const question = { what: `create ${host}/${name}`, action: "ecr-public:CreateRepository" };
  try {
    await ask(question, (options) => sdk.createRepository({ repositoryName }, options), call);
    return "created";
  } catch (error) {
    if (isRegistryError(error, "CONFLICT")) return "exists";
    throw error;
  }
}

export async function deleteRepository(
  { sdk, ask, host }: EcrPublic,
  { name, repositoryName }: OwnRepository,
  { force = false, ...call }: Call & { readonly force?: boolean } = {},
): Promise<void> {
  const question = { what: `delete ${host}/${name}`, action: "ecr-public:DeleteRepository" };
  await ask(question, (options) => sdk.deleteRepository({ repositoryName, force }, options), call);
}

/** The tags, in the sense of AWS, of a repository. */
export async function labels(
  { sdk, ask, host }: EcrPublic,
  { name, repositoryName }: OwnRepository,
  call?: Call,
): Promise<Readonly<Record<string, string>>> {
  const { repositories: [found] = [] } = await ask(
    { what: `describe ${host}/${name}`, action: "ecr-public:DescribeRepositories" },
    (options) => sdk.describeRepositories({ repositoryNames: [repositoryName] }, options),
    call,
  );
  if (!found) throw new RegistryError("NAME_UNKNOWN", `there is no ${host}/${name}`, { host });
  const { tags } = await ask(
    { what: `read the tags of ${host}/${name}`, action: "ecr-public:ListTagsForResource" },
    (options) => sdk.listTagsForResource({ resourceArn: found.repositoryArn }, options),
    call,
  );
  return labelsOf(tags);
}
