import { join } from "node:path";
import { homedir } from "node:os";
import { authenticate } from "./auth/authenticate.ts";
import { firstOf, type CredentialSource } from "./auth/credential.ts";
import { dockerConfigSource } from "./auth/docker-config.ts";
import type { Event } from "./events.ts";
import type { DiagnoseOptions, DoctorContext } from "./doctor/context.ts";
import type { Diagnosis } from "./doctor/diagnosis.ts";
import { copyLocations, type CopyLocationsOptions, type CopyOutcome } from "./copy-locations.ts";
import { formatLocation, parseLocation, type Location } from "./oci/location.ts";
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
import { settingsByHost, type HostSettings, type SettingsOf } from "./transport/host-settings.ts";
import { limit } from "./transport/limit.ts";
import { observe } from "./transport/observe.ts";
import type { IsInsecure } from "./transport/origin.ts";
import { redirect } from "./transport/redirect.ts";
import { retry } from "./transport/retry.ts";
import { scheme } from "./transport/scheme.ts";
import { compose } from "./transport/transport.ts";
import { wire } from "./transport/wire.ts";
import { version } from "./version.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface ClientOptions extends ArchiveOptions {
  /** Where DOCKER_CONFIG, REGISTRY_AUTH_FILE, the home directory and proxies are looked up; the process's own. */
  readonly env?: Environment;
  /** Asked before the files of Podman and Docker. */
  readonly credentials?: readonly CredentialSource[];
  /** A file to read logins from in place of Podman's and Docker's. */
  readonly authFile?: string;
  /** How hosts are reached, by `name[:port]`; `*` is for all. Hosts of this machine may always speak plain HTTP. */
  readonly hosts?: Readonly<Record<string, HostSettings>>;
  /** How often a request is sent again after a failure that may pass; 5. */
  readonly retries?: number;
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

/** Opens locations: the way from text to stores, over one set of connections, tokens and credentials. */
export interface Client {
  /** Opens a location without looking whether anything is there. Throws INVALID. */
  open(location: string | Location): Opened;
  /** The tag or digest meant: as written, else `latest` in a registry, else the only image of a local store. */
  resolve(opened: Opened, call?: Call): Promise<string>;
  registry(host: string): Registry;
  /** Copies an image, or all tags, from one location to others; reads once, writes to all. */
  copy(from: string, to: string | readonly string[], options?: CopyLocationsOptions): Promise<CopyOutcome>;
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
  const settingsOf = settingsByHost(options.hosts);
  const isInsecure: IsInsecure = (host) => Boolean(settingsOf(host).plainHttp || settingsOf(host).insecure);
  const stack = transportStack(options, env, settingsOf, isInsecure);
  const hosts = new Map<string, RemoteShared>();
  const remote = (registry: string): RemoteOptions => {
    const shared = hosts.get(registry) ?? remoteShared(registry);
    hosts.set(registry, shared);
    return { transport: stack.transport, registry, shared, isInsecure };
  };

  const openStore = (location: Location): Store => {
    if (location.transport !== "registry") return openLocal(location.transport, location.path, options);
    const { registry, repository } = location.reference;
    return remoteStore({ ...remote(registry), repository });
  };

  const client: Client = {
    open(text) {
      const location = typeof text === "string" ? parseLocation(text) : text;
      const ref =
        location.transport === "registry" ? (location.reference.digest ?? location.reference.tag) : location.ref;
      return {
        location,
        name: formatLocation(location),
        store: openStore(location),
        ...(ref !== undefined && { ref }),
      };
    },
    async resolve({ location, ref, store }, call) {
      if (ref !== undefined) return ref;
      return location.transport === "registry" ? "latest" : soleReference(store as LocalStore, call);
    },
    registry: (host) => remoteRegistry(remote(host)),
    copy: (from, to, copyOptions) => copyLocations(client, from, [to].flat(), copyOptions),
    async *diagnose(target, diagnoseOptions) {
      const [{ diagnose }, { examine }, { identify }] = await Promise.all([
        import("./doctor/diagnose.ts"),
        import("./doctor/examine.ts"),
        import("./provider/fingerprints.ts"),
      ]);
      yield* target === undefined
        ? examine({ env, version: process.versions.node, ...localFiles(options.authFile, env) })
        : diagnose(target, { ...stack, settingsOf, proxyEnv: env, identify }, diagnoseOptions);
    },
    close: async () => stack.close(),
  };
  return client;
}

function openLocal(
  transport: Exclude<Location["transport"], "registry">,
  path: string,
  { stdin, stdout }: ArchiveOptions,
): LocalStore {
  const streams = { ...(stdin && { stdin }), ...(stdout && { stdout }) };
  if (transport === "oci") return layoutStore(path);
  if (transport === "dir") return dirStore(path);
  return transport === "oci-archive" ? ociArchiveStore(path, streams) : dockerArchiveStore(path, streams);
}

/** All that lies between a request and the network, in the order of ARCHITECTURE.md. */
function transportStack(
  options: ClientOptions,
  env: Environment,
  settingsOf: SettingsOf,
  isInsecure: IsInsecure,
): Pick<DoctorContext, "network" | "transport" | "credentials"> & { close(): void } {
  const { onEvent = () => {}, userAgent = `gantry/${version}` } = options;
  const sockets = wire({ userAgent, settingsOf, proxyEnv: env });
  const files = loginFiles(options.authFile, env).map((file) => dockerConfigSource(file, file));
  const credentials = firstOf(...(options.credentials ?? []), ...files);
  const network = compose(sockets, scheme({ isInsecure }), observe({ onEvent }));
  const layers = [
    retry({ onEvent, ...(options.retries !== undefined && { attempts: options.retries + 1 }) }),
    redirect({ isInsecure }),
    authenticate({ credentials, isInsecure }),
    limit({ onEvent }),
  ];
  return { network, transport: compose(network, ...layers), credentials, close: () => sockets.close() };
}

/** Podman's and Docker's files, in Podman's order. */
function loginFiles(authFile: string | undefined, env: Environment): readonly string[] {
  const home = env["HOME"] || homedir();
  const named = authFile ?? env["REGISTRY_AUTH_FILE"];
  if (named) return [named];
  const files = [
    env["XDG_RUNTIME_DIR"] && join(env["XDG_RUNTIME_DIR"], "containers", "auth.json"),
    join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers", "auth.json"),
    join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json"),
  ];
  return files.flatMap((file) => file || []);
}

/** The files of this machine that have to do with registries. */
function localFiles(
  authFile: string | undefined,
  env: Environment,
): { readonly logins: readonly string[]; readonly settings: readonly string[] } {
  const config = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  const conf = env["CONTAINERS_REGISTRIES_CONF"];
  const settings = conf
    ? [conf]
    : [join(config, "containers", "registries.conf"), "/etc/containers/registries.conf", "/etc/docker/daemon.json"];
  return { logins: loginFiles(authFile, env), settings };
}
