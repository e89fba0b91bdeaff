import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import type { JsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import { nextPage, type GoogleApis } from "./api.ts";
import { completed } from "./operation.ts";
import { parsePlace, resourceOf, type Place } from "./place.ts";

type Clocked = Pick<ServiceContext, "host" | "clock">;

/** Makes the repository that a path is in. */
export async function createRepository(
  { host, clock }: Clocked,
  apis: GoogleApis,
  path: string,
  call: Call = {},
): Promise<"created" | "exists"> {
  const place = parsePlace(host, path);
  const api = await apis("registry", path, call);
  const what = `create the repository ${place.repository} of ${place.project} in ${place.location}`;
  const request = {
    ...call,
    what,
    query: { repositoryId: place.repository },
    body: { format: "DOCKER", mode: "STANDARD_REPOSITORY" },
  };
  try {
    const { body } = await api.send("POST", `/${resourceOf(place).replace(/\/[^/]*$/, "")}`, request);
    await completed(api, body, { ...call, clock, what });
    return "created";
  } catch (error) {
    if (isRegistryError(error, "CONFLICT") && error.status === 409) return "exists";
    throw error;
  }
}

/** Deletes an image, which the API calls a package, with all its versions and tags, or a repository with all its images. */
export async function removeRepository(
  { host, clock }: Clocked,
  apis: GoogleApis,
  path: string,
  call: Call = {},
): Promise<void> {
  const place = parsePlace(host, path);
  const api = await apis("registry", path, call);
  const what = `delete ${host}/${path}`;
  if (place.image === undefined) await requireDocker(api, place, { ...call, what, host });
  const { body } = await api.send("DELETE", `/${resourceOf(place)}${packageOf(place)}`, { ...call, what });
  await completed(api, body, { ...call, clock, what });
}

/** Repositories of other formats are there beside those of images, and are none of ours. */
async function requireDocker(
  api: JsonApi,
  place: Place,
  { host, ...request }: Call & { readonly what: string; readonly host: string },
): Promise<void> {
  const { body } = await api.send("GET", `/${resourceOf(place)}`, request);
  if (isObject(body) && body["format"] === "DOCKER") return;
  const { repository, project } = place;
  throw new RegistryError("INVALID", `cannot ${request.what}: ${repository} of ${project} is no repository of images`, {
    host,
    hint: "repositories of other formats are deleted by `gcloud artifacts repositories delete`",
  });
}

const packageOf = ({ image }: Place): string => (image === undefined ? "" : `/packages/${encodeURIComponent(image)}`);

/** Whether a repository has any images. */
export async function hasImages(
  { host }: Pick<ServiceContext, "host">,
  apis: GoogleApis,
  path: string,
  call: Call = {},
): Promise<boolean> {
  const api = await apis("registry", path, call);
  const what = `list the images of ${host}/${path}`;
  const request = { ...call, what, query: { pageSize: 1 }, next: nextPage };
  for await (const { body } of api.pages(`/${resourceOf(parsePlace(host, path))}/packages`, request)) {
    if (!isObject(body)) {
      throw new RegistryError("NETWORK", `cannot ${what}: something else answered in Artifact Registry's place`, {
        host,
      });
    }
    // A page may be empty though others follow.
    if (body["packages"] !== undefined && !(Array.isArray(body["packages"]) && body["packages"].length === 0))
      return true;
  }
  return false;
}
