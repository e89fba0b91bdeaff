import type { CredentialSource, Credential, Environment } from "../auth/credential.ts";
import type { Call, Registry } from "../store/store.ts";
import type { Clock } from "../transport/clock.ts";
import type { IsInsecure } from "../transport/origin.ts";
import type { Quota } from "../transport/rate-limit.ts";
import type { Transport } from "../transport/transport.ts";
import type { Abilities } from "./abilities.ts";
import type { Fingerprint, LoginAdvice } from "./fingerprint.ts";
import type { Quirks } from "./quirks.ts";
import type { ServiceRegistry } from "./service.ts";

/** What `--provider` and the configuration call the services. */
export const providerNames = [
  "dockerhub",
  "ecr",
  "ecr-public",
  "artifact-registry",
  "acr",
  "ghcr",
  "gitlab",
  "harbor",
  "quay",
  "gantry",
  "generic",
] as const;
export type ProviderName = (typeof providerNames)[number];

/** One registry service: its hosts, quirks and abilities as data, its logins and calls loaded when they are needed. */
export interface Provider {
  readonly name: ProviderName;
  /** As people call it: `Amazon ECR`. */
  readonly title: string;
  /** The forms of its hosts, for people. */
  readonly hosts: readonly string[];
  /** Whether a host (`name[:port]`) is one of the service's own, and no look-alike. */
  matches(host: string): boolean;
  /** What it sends for challenges; any of them is enough. */
  readonly fingerprints: readonly Fingerprint[];
  /** A header, in lower case, that no other service has on its answers to `/v2/` and on lists of tags. */
  readonly header?: string;
  /** Asked, without a login, of a host that nothing else tells of. */
  readonly probe?: Probe;
  readonly login?: LoginAdvice;
  readonly quirks: Quirks;
  readonly abilities: Abilities;
  /** Where the service's own tools keep logins; asked for its own hosts and those that the user calls so, last of all places. */
  readonly credentials?: (context: CredentialContext) => Promise<CredentialSource>;
  /** Sends nothing yet. */
  readonly connect: (context: ServiceContext) => Promise<ServiceRegistry>;
}

export interface Probe {
  /** From the host's root: `/api/v2.0/systeminfo`. */
  readonly path: string;
  readonly fits: (answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  }) => boolean;
}

/** What the logins of a service are found with. */
export interface CredentialContext {
  readonly env: Environment;
  readonly home: string;
  /** Adds no login, and follows no redirect; goes through proxies and certificates as all requests do. */
  readonly transport: Transport;
  readonly clock: Clock;
  /** How often what the transport does not take for a failure is asked again; 5. */
  readonly retries?: number;
  readonly isInsecure: IsInsecure;
  readonly onWarning?: (text: string) => void;
  /** Where the service's API answers, as the user says (`hosts.HOST.api`). */
  readonly api: (host: string) => string | undefined;
}

/** What a service is spoken to with. */
export interface ServiceContext extends CredentialContext {
  /** The registry's `host[:port]`, as references name it. */
  readonly host: string;
  /** The same registry by the distribution API alone. */
  readonly registry: Registry;
  /** Sends to the registry with the login that it challenges for. */
  readonly authenticated: Transport;
  /** The login for the registry, or for a path in it, from all places. */
  readonly credential: (path?: string, call?: Call) => Promise<Credential | undefined>;
  /** The realm of the challenge of its `/v2/`: where GitLab, of which the host says nothing, is. Asked once. */
  readonly realm: (call?: Call) => Promise<URL | undefined>;
  /** What the registry told last of its rate limit. */
  readonly quota: () => Quota | undefined;
}
