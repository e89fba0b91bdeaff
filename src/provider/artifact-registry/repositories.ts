import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import type { ServiceContext } from "../provider.ts";
import type { GoogleApis } from "./api.ts";
import { completed } from "./operation.ts";
import type { Place } from "./place.ts";
import { parsePlace, resourceOf } from "./place.ts";

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
  const { body } = await api.send("DELETE", `/${resourceOf(place)}${packageOf(place)}`, { ...call, what });
  await completed(api, body, { ...call, clock, what });
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
  const request = { ...call, what: `list the images of ${host}/${path}`, query: { pageSize: 1 } };
  const { body } = await api.send("GET", `/${resourceOf(parsePlace(host, path))}/packages`, request);
  return isObject(body) && Array.isArray(body["packages"]) && body["packages"].length > 0;
}
