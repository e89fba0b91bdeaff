import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { isTag } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { inOrder } from "../in-order.ts";
import type { JsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import type { Immutability } from "../service.ts";
import { attributesOf, immutabilityOf } from "./attributes.ts";
import { repositoryApi } from "./data-plane.ts";
import { tagEntries } from "./images.ts";

const atOnce = 4;

/** The lock of a repository or, where it has none, the tags that have locks of their own. */
export async function readLocks(context: ServiceContext, repository: string, call: Call = {}): Promise<Immutability> {
  const api = repositoryApi(context, repository, "metadata_read");
  const { body } = await api.send("GET", `/acr/v1/${repository}`, { ...call, what: `read the locks of ${repository}` });
  const immutability = immutabilityOf(attributesOf(isObject(body) ? body : {}));
  const locked = immutability.tags === "immutable" ? [] : await lockedTags(api, repository, call);
  return locked.length > 0 ? { ...immutability, except: locked } : immutability;
}

/**
 * Locks or unlocks a repository, or single tags in one that is not locked: `except` are all that then have locks. Leaves
 * alone what protects from deleting only. Throws INVALID where the service cannot lock so.
 */
export async function writeLocks(
  context: ServiceContext,
  repository: string,
  immutability: Immutability,
  call: Call = {},
): Promise<void> {
  const wanted = new Set(immutability.except);
  checkLocks(context, immutability);
  const api = repositoryApi(context, repository, "metadata_read", "metadata_write");
  const lock = (path: string, isLocked: boolean, what: string): Promise<unknown> =>
    api.send("PATCH", path, { ...call, body: { writeEnabled: !isLocked }, what });
  const isImmutable = immutability.tags === "immutable";
  await lock(`/acr/v1/${repository}`, isImmutable, `${isImmutable ? "lock" : "unlock"} ${repository}`);
  if (isImmutable) return;
  const locked = new Set(await lockedTags(api, repository, call));
  const changes = [...new Set([...wanted, ...locked])].filter((tag) => wanted.has(tag) !== locked.has(tag));
  const done = inOrder(changes, atOnce, (tag) =>
    lock(`/acr/v1/${repository}/_tags/${tag}`, wanted.has(tag), `lock or unlock the tag ${repository}:${tag}`),
  );
  await Array.fromAsync(done);
}

function checkLocks({ host }: ServiceContext, { tags, except = [] }: Immutability): void {
  if (tags === "immutable" && except.length > 0) {
    throw new RegistryError(
      "INVALID",
      "a locked repository of Azure Container Registry has no tags that are not locked",
      {
        host,
        hint: "lock the other tags one by one: mutable, except those",
      },
    );
  }
  const pattern = except.find((tag) => !isTag(tag));
  if (pattern === undefined) return;
  throw new RegistryError(
    "INVALID",
    `Azure Container Registry locks tags by name, and ${JSON.stringify(pattern)} is none`,
    {
      host,
      hint: "name each tag that is to be locked",
    },
  );
}

async function lockedTags(api: JsonApi, repository: string, call: Call): Promise<readonly string[]> {
  const tags = await Array.fromAsync(tagEntries(api, { repository }, call));
  return tags.filter(({ isLocked }) => isLocked).map(({ name }) => name);
}
