import { RegistryError } from "../../oci/error.ts";

/** Where an image is: in a repository of Artifact Registry, which has many, and is what most settings hold for. */
export interface Place {
  /** As the API has it: `example.com:project` where the project is scoped to a domain. */
  readonly project: string;
  readonly location: string;
  /** The repository's own name: `docker`, `gcr.io`. */
  readonly repository: string;
  /** The image, which the API calls a package; absent where the repository itself is meant. */
  readonly image?: string;
}

const region = "[a-z]+-[a-z]+[0-9]{1,2}";
const zonal = new RegExp(`^(us|europe|asia|${region})-docker\\.pkg\\.dev$|^docker\\.(${region})\\.rep\\.pkg\\.dev$`);

/** The hosts that Container Registry had, and the location of the repository of that very name that is behind each now. */
const legacyLocations: Readonly<Record<string, string>> = {
  "gcr.io": "us",
  "us.gcr.io": "us",
  "eu.gcr.io": "europe",
  "asia.gcr.io": "asia",
};

const plain = (host: string): string => host.toLowerCase().replace(/:443$/, "");

/** Whether a host (`name[:port]`) is one of Artifact Registry's; k8s.gcr.io and others below gcr.io are other people's. */
export function isOwnHost(host: string): boolean {
  const name = plain(host);
  return isLegacyHost(name) || name === "docker.pkg.dev" || zonal.test(name);
}

/** Whether a host's paths name a project and an image, and no repository. */
export function isLegacyHost(host: string): boolean {
  return Object.hasOwn(legacyLocations, plain(host));
}

/** The location that a host stands for. */
export function locationOf(host: string): string | undefined {
  const name = plain(host);
  const [, first, second] = zonal.exec(name) ?? [];
  return isLegacyHost(name) ? legacyLocations[name] : (first ?? second);
}

/** Of a path, the project (`project`, or `example.com/project`) and what follows it. */
export function splitProject(path: string): { readonly project: string; readonly rest: readonly string[] } {
  const segments = path.split("/").filter((segment) => segment !== "");
  const length = segments[0]?.includes(".") ? 2 : 1;
  return { project: segments.slice(0, length).join("/"), rest: segments.slice(length) };
}

/** A project as the API has it. */
export const projectId = (project: string): string => project.replace("/", ":");

/** Reads a path of a host. Throws INVALID with what a whole one looks like. */
export function parsePlace(host: string, path: string): Place {
  const location = requireLocation(host);
  const { project, rest } = splitProject(path);
  // In a path of the API, `..` would be all that is above it.
  if ([project, ...rest].some((part) => /(?:^|\/)\.{1,2}$/.test(part))) {
    throw new RegistryError("INVALID", `${JSON.stringify(path)} is no name of a repository`, { host });
  }
  if (isLegacyHost(host)) {
    if (rest.length === 0) throw incomplete(host, path, "PROJECT/IMAGE");
    return { project: projectId(project), location, repository: plain(host), image: rest.join("/") };
  }
  const [repository, ...image] = rest;
  if (repository === undefined) throw incomplete(host, path, "PROJECT/REPOSITORY[/IMAGE]");
  return { project: projectId(project), location, repository, ...(image.length > 0 && { image: image.join("/") }) };
}

/** The location of a host; throws INVALID for a host that stands for none. */
export function requireLocation(host: string): string {
  const location = locationOf(host);
  if (location !== undefined) return location;
  throw new RegistryError("INVALID", `the host ${host} does not tell the location of its repositories`, {
    host,
    hint: "name the registry by its own host, LOCATION-docker.pkg.dev",
  });
}

function incomplete(host: string, path: string, form: string): RegistryError {
  return new RegistryError("INVALID", `${host}/${path} names no repository`, { host, hint: `give ${host}/${form}` });
}

/** The repository's name in the API: `projects/P/locations/L/repositories/R`, each part escaped for a URL. */
export function resourceOf({ project, location, repository }: Place): string {
  return `projects/${encodeURIComponent(project)}/locations/${location}/repositories/${encodeURIComponent(repository)}`;
}

/** The repository as people name it, where a setting holds for more than the image that was asked about. */
export function scopeOf({ project, location, repository, image }: Place): { readonly scope?: string } {
  return image === undefined ? {} : { scope: `repository ${repository} of ${project} in ${location}` };
}
