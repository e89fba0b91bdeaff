import { apiHost, parseLocation } from "../index.ts";
import { hostOf, mayBeImage } from "./host-or-image.ts";

/** The places a command names: those it reads (or all, where there is but one side), and those it writes. */
export interface Places {
  readonly from: readonly string[];
  readonly to?: readonly string[];
}

/** A registry's host, and a repository there. */
export interface Spot {
  readonly host: string;
  readonly path: string;
}

/** The registries that the two sides of a command name. */
export interface Sides {
  readonly from: readonly Spot[];
  readonly to: readonly Spot[];
}

/** The registry and repository that a word names; none where it names a file. */
export function spotsOf(place: string): Spot[] {
  const host = hostOf(place);
  const named = host === undefined ? [] : [{ host: apiHost(host), path: "" }];
  if (host !== undefined && !mayBeImage(host)) return named;
  const location = parseLocation(place);
  return location.transport === "registry"
    ? [...named, { host: apiHost(location.reference.registry), path: location.reference.repository }]
    : [];
}
