import type { Repository } from "@aws-sdk/client-ecr";
import { isAbsent, RegistryError } from "../../oci/error.ts";
import { isRepository } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { plainText } from "../../store/remote/answer.ts";
import { isAws } from "../aws/error.ts";
import { momentOf } from "../aws/images.ts";
import { labelsOf } from "../aws/labels.ts";
import type { Immutability, RepositoryInfo } from "../service.ts";
import type { Ecr } from "./api.ts";

const pageSize = 1000;

/** The repositories whose names start with `prefix`: the API has no filter, so all are asked for. */
export async function* listRepositories(
  { sdk, registry, pages, host }: Ecr,
  prefix = "",
  call?: Call,
): AsyncGenerator<RepositoryInfo, void> {
  const question = { what: `list the repositories of ${host}`, action: "ecr:DescribeRepositories" };
  const all = pages(
    question,
    (nextToken, options) =>
      sdk.describeRepositories(
        { ...registry, maxResults: pageSize, ...(nextToken !== undefined && { nextToken }) },
        options,
      ),
    call,
  );
  for await (const { repositories = [] } of all) {
    for (const repository of repositories) {
      const info = infoOf(repository);
      if (info?.name.startsWith(prefix)) yield info;
    }
  }
}

/** A repository as DescribeRepositories has it; undefined where it is not there. */
async function describe({ sdk, registry, ask, host }: Ecr, name: string, call?: Call): Promise<Repository | undefined> {
  const question = { what: `describe ${host}/${name}`, action: "ecr:DescribeRepositories" };
  const { repositories } = await ask(
    question,
    (options) => sdk.describeRepositories({ ...registry, repositoryNames: [name] }, options),
    call,
  );
  return repositories?.[0];
}

export async function describeRepository(ecr: Ecr, name: string, call?: Call): Promise<RepositoryInfo | undefined> {
  try {
    const found = await describe(ecr, name, call);
    return found && infoOf(found);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function infoOf(repository: Repository): RepositoryInfo | undefined {
  const { repositoryName: name, createdAt } = repository;
  if (name === undefined || !isRepository(name)) return undefined;
  const created = momentOf(createdAt);
  return {
    name,
    ...(created !== undefined && { created }),
    visibility: "private",
    immutability: immutabilityOf(repository),
  };
}

export async function createRepository(
  { sdk, ask, registry, host }: Ecr,
  name: string,
  call?: Call,
): Promise<"created" | "exists"> {
  const question = { what: `create ${host}/${name}`, action: "ecr:CreateRepository" };
  return ask(
    question,
    (options) =>
      sdk.createRepository({ ...registry, repositoryName: name }, options).then(
        () => "created" as const,
        (error: unknown) => {
          if (isAws(error, "RepositoryAlreadyExistsException")) return "exists" as const;
          throw error;
        },
      ),
    call,
  );
}

export async function deleteRepository(
  { sdk, ask, registry, host }: Ecr,
  name: string,
  { force = false, ...call }: Call & { readonly force?: boolean } = {},
): Promise<void> {
  const question = { what: `delete ${host}/${name}`, action: "ecr:DeleteRepository" };
  await ask(question, (options) => sdk.deleteRepository({ ...registry, repositoryName: name, force }, options), call);
}

export async function immutability(ecr: Ecr, name: string, call?: Call): Promise<Immutability> {
  return immutabilityOf(await existing(ecr, name, call));
}

async function existing(ecr: Ecr, name: string, call?: Call): Promise<Repository> {
  const found = await describe(ecr, name, call);
  if (found) return found;
  throw new RegistryError("NAME_UNKNOWN", `there is no ${ecr.host}/${name}`, { host: ecr.host });
}

function immutabilityOf({ imageTagMutability, imageTagMutabilityExclusionFilters }: Repository): Immutability {
  const except = (imageTagMutabilityExclusionFilters ?? []).flatMap(({ filter }) =>
    filter ? [plainText(filter)] : [],
  );
  return {
    tags: imageTagMutability?.startsWith("IMMUTABLE") ? "immutable" : "mutable",
    ...(except.length > 0 && { except, patterns: "wildcard" }),
  };
}

const mostFilters = 5;
const filterForm = /^[0-9a-zA-Z._*-]{1,128}$/;

/** Sets one of the four modes. Throws INVALID for exceptions that ECR cannot have. */
export async function setImmutability(
  { sdk, ask, registry, host }: Ecr,
  name: string,
  { tags, except = [], patterns = "wildcard" }: Immutability,
  call?: Call,
): Promise<void> {
  const fault = faultOf(except, patterns);
  if (fault) {
    const hint = "up to five patterns of letters, digits and . _ - with at most two *";
    throw new RegistryError("INVALID", `Amazon ECR takes no such exceptions: ${fault}`, { host, hint });
  }
  const mode: "IMMUTABLE" | "MUTABLE" = tags === "immutable" ? "IMMUTABLE" : "MUTABLE";
  const question = { what: `set the immutability of ${host}/${name}`, action: "ecr:PutImageTagMutability" };
  const wanted =
    except.length === 0
      ? { imageTagMutability: mode }
      : {
          imageTagMutability: `${mode}_WITH_EXCLUSION` as const,
          imageTagMutabilityExclusionFilters: except.map((filter) => ({ filterType: "WILDCARD" as const, filter })),
        };
  await ask(
    question,
    (options) => sdk.putImageTagMutability({ ...registry, repositoryName: name, ...wanted }, options),
    call,
  );
}

function faultOf(except: readonly string[], patterns: Immutability["patterns"]): string | undefined {
  if (patterns !== "wildcard") return `they are written with wildcards, not as ${patterns}`;
  if (except.length > mostFilters) return `${except.length} are more than ${mostFilters}`;
  const odd = except.find((filter) => !filterForm.test(filter) || filter.split("*").length > 3);
  return odd === undefined ? undefined : JSON.stringify(odd);
}

/** The tags, in the sense of AWS, of a repository. */
export async function labels(ecr: Ecr, name: string, call?: Call): Promise<Readonly<Record<string, string>>> {
  const { repositoryArn: resourceArn } = await existing(ecr, name, call);
  const question = { what: `read the tags of ${ecr.host}/${name}`, action: "ecr:ListTagsForResource" };
  const { tags } = await ecr.ask(question, (options) => ecr.sdk.listTagsForResource({ resourceArn }, options), call);
  return labelsOf(tags);
}
