import { RegistryError } from "../oci/error.ts";
import type { ServiceRegistry } from "./service.ts";

/** What may be asked of a service: the methods of ServiceRegistry, in the words of people. */
export const abilityTitles = {
  listRepositories: "list repositories",
  describeRepository: "describe a repository",
  images: "list images with times and sizes",
  search: "search",
  createRepository: "create a repository",
  deleteRepository: "delete a repository",
  deleteTag: "delete one tag",
  deleteManifests: "delete by digest",
  immutability: "read immutability",
  setImmutability: "set immutability",
  lifecycle: "read a lifecycle policy",
  setLifecycle: "set a lifecycle policy",
  deleteLifecycle: "remove a lifecycle policy",
  previewLifecycle: "preview a lifecycle policy",
  labels: "read labels",
  replication: "read replication rules",
  findings: "read scan findings",
  allowances: "tell what is left of limits",
} as const satisfies Partial<Record<keyof ServiceRegistry, string>>;

export type AbilityName = keyof typeof abilityTitles;

/** How a service does something, and how that was tested. */
export interface ServiceAbility {
  /** By the service's own API, by the distribution API, by us from what these tell, or not at all. */
  readonly how: "native" | "protocol" | "client" | "impossible";
  /** A limit or condition, in a few words. */
  readonly note?: string;
  /** Where it is impossible: what to do instead. */
  readonly instead?: string;
  /** The software of others that it was tested against, or the page that its exchanges were transcribed from; never a live service. */
  readonly tested: string;
}

export type Abilities = Readonly<Record<AbilityName, ServiceAbility>>;

/** The error for what a service cannot do. */
export function unsupported(title: string, host: string, name: AbilityName, ability: ServiceAbility): RegistryError {
  return new RegistryError("UNSUPPORTED", `${title} cannot ${abilityTitles[name]}`, {
    host,
    ...(ability.instead !== undefined && { hint: ability.instead }),
  });
}
