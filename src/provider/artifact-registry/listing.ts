import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { isRepository } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { inOrder } from "../in-order.ts";
import type { JsonApi } from "../json-api.ts";
import type { RepositoryInfo } from "../service.ts";
import { nextPage } from "./api.ts";
import { isLegacyHost, projectId, requireLocation, splitProject } from "./place.ts";
import { readTagsList, type TagsList } from "./tags-list.ts";

/** What repositories are listed with. */
export interface Lister {
  readonly host: string;
  /** The registry. */
  readonly registry: JsonApi;
  /** Artifact Registry's API for a path; undefined where nobody is logged in. */
  readonly api: (path: string, call?: Call) => Promise<JsonApi | undefined>;
}

const pageSize = 1000;
const atOnce = 8;

/**
 * The images whose names start with `prefix`, which has a project at least. By the API a request for a thousand of each
 * repository; where Container Registry was, and with no login, a request for each level of names.
 */
export async function* listImages(
  lister: Lister,
  prefix: string,
  call: Call = {},
): AsyncGenerator<RepositoryInfo, void> {
  const { host } = lister;
  const { project, rest } = splitProject(prefix);
  if (project === "" || (project.includes(".") && !project.includes("/"))) throw tooShort(host);
  const [repository] = rest;
  const api = isLegacyHost(host) ? undefined : await lister.api(prefix, call);
  if (!api) {
    if (!isLegacyHost(host) && repository === undefined) throw tooShort(host, "/REPOSITORY");
    yield* walk(lister, below(prefix, isLegacyHost(host) ? project : `${project}/${repository}`), prefix, call);
    return;
  }
  const isWhole = repository !== undefined && prefix.startsWith(`${project}/${repository}/`);
  const parent = `/projects/${encodeURIComponent(projectId(project))}/locations/${requireLocation(host)}/repositories`;
  const names = isWhole ? [repository] : repositoryNames(api, parent, { host, project, start: repository }, call);
  for await (const name of names) yield* packages(api, parent, { host, project, name, prefix }, call);
}

/** The repositories of a project; one that is named may be seen by who may not see them all. */
async function* repositoryNames(
  api: JsonApi,
  parent: string,
  { host, project, start }: { readonly host: string; readonly project: string; readonly start: string | undefined },
  call: Call,
): AsyncGenerator<string, void> {
  const what = `list the repositories of ${host}/${project}`;
  try {
    for await (const { body } of api.pages(parent, { ...call, what, query: { pageSize }, next: nextPage })) {
      for (const { name, format } of itemsIn(body, "repositories")) {
        const id = lastOf(name);
        if (format === "DOCKER" && id !== undefined && id.startsWith(start ?? "")) yield id;
      }
    }
  } catch (error) {
    if (start === undefined || !isRegistryError(error, "DENIED")) throw error;
    yield start;
  }
}

async function* packages(
  api: JsonApi,
  parent: string,
  {
    host,
    project,
    name,
    prefix,
  }: { readonly host: string; readonly project: string; readonly name: string; readonly prefix: string },
  call: Call,
): AsyncGenerator<RepositoryInfo, void> {
  const path = `${parent}/${encodeURIComponent(name)}/packages`;
  const what = `list the images of ${host}/${project}/${name}`;
  for await (const { body } of api.pages(path, { ...call, what, query: { pageSize }, next: nextPage })) {
    for (const item of itemsIn(body, "packages")) {
      const image = `${project}/${name}/${lastOf(item["name"]) ?? ""}`;
      if (!isRepository(image) || !image.startsWith(prefix)) continue;
      yield { name: image, ...moments(item) };
    }
  }
}

/** Goes down the names from `base`, level by level. */
async function* walk(
  { host, registry }: Lister,
  base: string,
  prefix: string,
  call: Call,
): AsyncGenerator<RepositoryInfo, void> {
  const read = async (name: string): Promise<{ readonly name: string; readonly list: TagsList | undefined }> => ({
    name,
    list: await readTagsList(registry, host, name, call),
  });
  for (let level: readonly string[] = [base]; level.length > 0;) {
    const deeper: string[] = [];
    for await (const { name, list } of inOrder(level, atOnce, read)) {
      if (!list) continue;
      if (name.startsWith(prefix) && list.tags.length + (list.images?.length ?? 0) > 0) yield infoOf(name, list);
      const names = list.children.map((child) => `${name}/${child}`).filter(isRepository);
      deeper.push(...names.filter((child) => child.startsWith(prefix) || prefix.startsWith(`${child}/`)));
    }
    level = deeper;
  }
}

/** What a list of tags tells of an image. */
export function infoOf(name: string, { tags, images }: TagsList): RepositoryInfo {
  const pushed = (images ?? []).flatMap((image) => image.pushed ?? []).toSorted();
  return {
    name,
    tags: tags.length,
    ...(images && { images: images.length }),
    ...(pushed.length > 0 && { created: pushed[0]!, updated: pushed.at(-1)! }),
  };
}

/** When it was made and changed, as the API says it. */
export function moments({ createTime, updateTime }: Readonly<Record<string, unknown>>): Partial<RepositoryInfo> {
  const created = moment(createTime);
  const updated = moment(updateTime);
  return { ...(created !== undefined && { created }), ...(updated !== undefined && { updated }) };
}

/** A moment of the API, without the nanoseconds. */
export function moment(value: unknown): string | undefined {
  const ms = typeof value === "string" && /^\d{4}-/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

/** The whole levels of a prefix, but no less than `least`. */
function below(prefix: string, least: string): string {
  const whole = prefix.slice(0, Math.max(0, prefix.lastIndexOf("/")));
  return whole.length > least.length ? whole : least;
}

function itemsIn(body: unknown, field: string): readonly Readonly<Record<string, unknown>>[] {
  const items: unknown = isObject(body) ? body[field] : undefined;
  return Array.isArray(items) ? items.filter(isObject) : [];
}

/** The last part of a name of the API, in which slashes are escaped. */
function lastOf(name: unknown): string | undefined {
  if (typeof name !== "string") return undefined;
  try {
    return decodeURIComponent(name.slice(name.lastIndexOf("/") + 1));
  } catch {
    return undefined;
  }
}

function tooShort(host: string, more = ""): RegistryError {
  const form = isLegacyHost(host) ? `${host}/PROJECT` : `${host}/PROJECT${more || "[/REPOSITORY]"}`;
  return new RegistryError("INVALID", `${host} lists what a project has, and no more`, {
    host,
    hint: more === "" ? `give ${form}` : `give ${form}, or log in`,
  });
}
