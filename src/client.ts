import type { ChainOptions, KubernetesSettings } from "./auth/chain.ts";
import { firstOf, type CredentialSource, type Environment } from "./auth/credential.ts";
import { loginFiles, loginStores, type LoginStores } from "./auth/login-files.ts";
import type { Admission } from "./auth/validate.ts";
import type { Event } from "./events.ts";
import type { DiagnoseOptions } from "./doctor/context.ts";
import type { Diagnosis } from "./doctor/diagnosis.ts";
import { copyLocations, type CopyLocationsOptions, type CopyOutcome } from "./copy-locations.ts";
import type { Inventory } from "./graph/inventory.ts";
import type { Applied, ApplyOptions } from "./plan/apply.ts";
import type { Plan } from "./plan/plan.ts";
import type { SyncRule } from "./policy/sync/parse.ts";
import { qualified } from "./hosts/short-names.ts";
import { credentialSources, localFiles, machineHosts, surroundings } from "./machine.ts";
import type { Digest } from "./oci/digest.ts";
import { formatLocation, parseLocation, type Location } from "./oci/location.ts";
import { apiHost } from "./oci/reference.ts";
import { servicesOf, type Services } from "./services.ts";
import { transportStack } from "./stack.ts";
import { ociArchiveStore } from "./store/archive/oci-archive.ts";
import { dockerArchiveStore } from "./store/archive/docker-archive.ts";
import { dirStore } from "./store/dir.ts";
import { layoutStore } from "./store/layout.ts";
import { soleReference, type LocalStore } from "./store/local-store.ts";
import { remoteRegistry, remoteStore } from "./store/remote/remote-store.ts";
import type { RemoteOptions } from "./store/remote/remote.ts";
import { remoteShared, type RemoteShared } from "./store/remote/shared.ts";
import type { ArchiveOptions } from "./store/archive/archive-store.ts";
import type { Call, Registry, Store } from "./store/store.ts";
import type { PlannedSync, PlanSyncOptions } from "./sync/plan-sync.ts";
import type { HostSettings } from "./transport/host-settings.ts";
import type { IsInsecure } from "./transport/origin.ts";
import type { Quota } from "./transport/rate-limit.ts";
import { compose } from "./transport/transport.ts";

export interface ClientOptions extends ArchiveOptions {
  /** Where logins, the home directory and proxies are looked up; the process's own. */
  readonly env?: Environment;
  /** Asked before all other places where credentials are. */
  readonly credentials?: readonly CredentialSource[];
  /** A file to read logins from in place of Podman's and Docker's. */
  readonly authFile?: string;
  /** The logins of a configuration, and where they stand in it, for people. */
  readonly logins?: NonNullable<ChainOptions["config"]>;
  readonly kubernetes?: KubernetesSettings;
  /**
   * How hosts are reached, by `name[:port]`; `*` is for all. What is not said here, the machine's files may say. Hosts of
   * this machine may always speak plain HTTP.
   */
  readonly hosts?: Readonly<Record<string, HostSettings>>;
  /** The registries.conf to read in place of those of the user and the system. */
  readonly registriesConf?: string;
  /** A directory of hosts.toml files, as containerd's, that counts before /etc/containerd/certs.d. */
  readonly containerdCertsDir?: string;
  /** Whether mirrors are asked, by whomever they are set; true. */
  readonly mirrors?: boolean;
  /** What a name without a registry means: what it does to Docker, or what Podman makes of it by registries.conf; `docker`. */
  readonly shortNames?: "docker" | "containers";
  /** How often a request is sent again after a failure that may pass, and a transfer gone on with that gets no further; 5. */
  readonly retries?: number;
  /** How long to wait before a failed request is sent again the first time, in milliseconds; at random up to 250. */
  readonly retryDelay?: number;
  /** How many large blobs are sent to a host at a time. */
  readonly uploads?: number;
  readonly userAgent?: string;
  readonly onEvent?: (event: Event) => void;
}

/** A location, opened. */
export interface Opened {
  readonly location: Location;
  /** The location as a user would type it. */
  readonly name: string;
  readonly store: Store;
  /** The digest or else the tag that was written; neither is `undefined`. */
  readonly ref?: string;
}

/** How a repository is read for planners. */
export interface InventoryCall extends Call {
  /** Whether to find out when each image was built, where that takes a request. */
  readonly created?: boolean;
  /**
   * Takes the service's word for what its list tells, bytes among it, where fetching a manifest would count as a pull: against
   * a limit, or as the last pull of an image, by which retention may go. True unless told; false makes bytes exact.
   */
  readonly sparing?: boolean;
  /** Manifests to look for, too, where only what tags lead to is listed. */
  readonly also?: Iterable<Digest>;
}

/** Opens locations: the way from text to stores, over one set of connections, tokens and credentials. */
export interface Client {
  /**
   * Opens a location without looking whether anything is there. To `pull` is to only read from it, and what is read may
   * come from mirrors; what is to be changed, or listed as it is, is opened without. Throws INVALID.
   */
  open(location: string | Location, use?: "pull"): Opened;
  /** The tag or digest meant: as written, else `latest` in a registry, else the only image of a local store. */
  resolve(opened: Opened, call?: Call): Promise<string>;
  registry(host: string): Registry;
  /**
   * A registry with all that its service does beyond the distribution API: which one it is, its host tells, or `provider` of
   * its settings, or else a request without a login.
   */
  service(host: string, call?: Call): ReturnType<Services["open"]>;
  /** The same where that needs no request: where the host, `provider` of its settings, or an answer that came before tells; else undefined. */
  knownService(host: string): ReturnType<Services["known"]>;
  /** Copies an image, or all tags, from one location to others; reads once, writes to all. */
  copy(from: string, to: string | readonly string[], options?: CopyLocationsOptions): Promise<CopyOutcome>;
  /** Reads all that a repository, or another place, has: what planners decide over. */
  inventory(repository: string, options?: InventoryCall): Promise<Inventory>;
  /** Reads what the rules of a sync are about, and plans what there is to do. Throws INVALID where two sources would be written to one tag. */
  planSync(rules: readonly SyncRule[], options?: PlanSyncOptions): Promise<PlannedSync>;
  /** Does what a plan says; `source` opens what copies read, where that needs other credentials. */
  apply(plan: Plan, options?: ApplyOptions & { readonly source?: Client }): Promise<Applied>;
  /** The way to registries and the credentials for them: for `validateCredential`, `traceCredentials` and `traceAccess`. */
  readonly admission: Admission;
  /** The files that logins are kept in. */
  readonly loginStores: LoginStores;
  /** What a host (`name[:port]`, as it stands in URLs) told last of its rate limit, if anything. */
  quota(host: string): Quota | undefined;
  /**
   * Looks at the way to a registry (`HOST` or a reference) as this client goes it, or without a target at what this
   * machine has to do with it, and tells what it finds.
   */
  diagnose(target?: string, options?: DiagnoseOptions): AsyncIterable<Diagnosis>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Makes a client. Nothing is read or sent before it is needed. */
export function createClient(options: ClientOptions = {}): Client {
  const env = options.env ?? process.env;
  const hosts = machineHosts(options);
  const { settingsOf } = hosts;
  const isInsecure: IsInsecure = (host) => Boolean(settingsOf(host).plainHttp || settingsOf(host).insecure);
  const { onEvent, retries } = options;
  const again = retries === undefined ? {} : { retries };
  const services = servicesOf({
    ...surroundings(options),
    ...again,
    settingsOf,
    isInsecure,
    stack: () => stack,
    registry: (host) => client.registry(host),
    ...(onEvent && { onWarning: (text, host) => onEvent({ type: "warning", host, text }) }),
  });
  const credentials = [...credentialSources(options, hosts), services.credentials];
  const stack = transportStack(options, env, settingsOf, isInsecure, firstOf(...credentials));
  const known = new Map<string, RemoteShared>();
  const remotes = new Map<string, RemoteOptions>();
  const makeRemote = (registry: string, use?: "pull"): RemoteOptions => {
    const shared = known.get(registry) ?? remoteShared(registry);
    known.set(registry, shared);
    const origin = new URL(`https://${apiHost(registry)}`);
    return {
      transport: compose(stack.transport, ...hosts.routes(registry, use)),
      registry,
      origin,
      shared,
      isInsecure,
      ...again,
    };
  };
  /** One for all repositories of a registry. */
  const remote = (registry: string, use?: "pull"): RemoteOptions => {
    const key = `${use ?? "push"} ${registry}`;
    const made = remotes.get(key) ?? makeRemote(registry, use);
    remotes.set(key, made);
    return made;
  };

  const openStore = (location: Location, use?: "pull"): Store => {
    if (location.transport !== "registry") return openLocal(location.transport, location.path, options);
    const { registry, repository } = location.reference;
    return remoteStore({ ...remote(registry, use), repository });
  };

  const parse = (text: string): Location => {
    const location = parseLocation(text);
    if (location.transport !== "registry" || options.shortNames !== "containers") return location;
    const reference = qualified(text.replace(/^docker:\/\//, ""), location.reference, hosts.files.shortNames());
    return { ...location, reference };
  };

  const client: Client = {
    open(text, use) {
      const location = typeof text === "string" ? parse(text) : text;
      const ref =
        location.transport === "registry" ? (location.reference.digest ?? location.reference.tag) : location.ref;
      return {
        location,
        name: formatLocation(location),
        store: openStore(location, use),
        ...(ref !== undefined && { ref }),
      };
    },
    async resolve({ location, ref, store }, call) {
      if (ref !== undefined) return ref;
      return location.transport === "registry" ? "latest" : soleReference(store as LocalStore, call);
    },
    registry: (host) => remoteRegistry(remote(host)),
    service: (host, call) => services.open(host, call),
    knownService: (host) => services.known(host),
    copy: (from, to, copyOptions) => copyLocations(client, from, [to].flat(), copyOptions),
    async inventory(repository, inventoryOptions) {
      const { inventoryOf } = await import("./plans.ts");
      return inventoryOf(client, repository, inventoryOptions);
    },
    async planSync(rules, syncOptions) {
      const { planSync } = await import("./sync/plan-sync.ts");
      return planSync(client, rules, { now: new Date(), ...syncOptions });
    },
    async apply(plan, { source, ...applyOptions } = {}) {
      if (plan.steps.length === 0) return { endings: new Map(), complete: true };
      const [{ handsOf }, { applyPlan }] = await Promise.all([import("./plans.ts"), import("./plan/apply.ts")]);
      const hands = handsOf(client, { plan, ...(source && { source }) });
      try {
        return await applyPlan(plan, hands, applyOptions);
      } finally {
        await hands.close();
      }
    },
    admission: { transport: stack.direct, credentials, isInsecure },
    loginStores: loginStores(loginFiles(surroundings(options)), env),
    quota: (host) => stack.quotas.find(host),
    async *diagnose(target, diagnoseOptions) {
      const [{ diagnose }, { examine }, { identify }] = await Promise.all([
        import("./doctor/diagnose.ts"),
        import("./doctor/examine.ts"),
        import("./provider/identify.ts"),
      ]);
      yield* target === undefined
        ? examine({ env, version: process.versions.node, ...localFiles(options, hosts) })
        : diagnose(target, { ...stack, settingsOf, proxyEnv: env, identify }, diagnoseOptions);
    },
    close: async () => stack.close(),
  };
  return client;
}

function openLocal(
  transport: Exclude<Location["transport"], "registry">,
  path: string,
  options: ArchiveOptions,
): LocalStore {
  if (transport === "oci") return layoutStore(path);
  if (transport === "dir") return dirStore(path);
  // The streams are touched only by who is named "-": stdin may be somebody else's.
  const { stdin, stdout } = path === "-" ? options : {};
  const streams = { ...(stdin && { stdin }), ...(stdout && { stdout }) };
  return transport === "oci-archive" ? ociArchiveStore(path, streams) : dockerArchiveStore(path, streams);
}
