import { join } from "node:path";
import { homedir } from "node:os";
import { authenticate } from "./auth/authenticate.ts";
import { firstOf, type CredentialSource } from "./auth/credential.ts";
import { dockerConfigSource } from "./auth/docker-config.ts";
import type { Event } from "./events.ts";
import { copyLocations, type CopyLocationsOptions, type CopyOutcome } from "./copy-locations.ts";
import { hostsOf, type Hosts } from "./hosts/hosts.ts";
import { qualified } from "./hosts/short-names.ts";
import { trust } from "./hosts/trust.ts";
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
import { systemClock } from "./transport/clock.ts";
import type { HostSettings, SettingsOf } from "./transport/host-settings.ts";
import { limit } from "./transport/limit.ts";
import { observe } from "./transport/observe.ts";
import type { IsInsecure } from "./transport/origin.ts";
import { redirect } from "./transport/redirect.ts";
import { retry } from "./transport/retry.ts";
import { scheme } from "./transport/scheme.ts";
import { compose, type Transport } from "./transport/transport.ts";
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
  /**
   * Opens a location without looking whether anything is there. To `pull` is to only read from it, and what is read may
   * come from mirrors; what is to be changed, or listed as it is, is opened without. Throws INVALID.
   */
  open(location: string | Location, use?: "pull"): Opened;
  /** The tag or digest meant: as written, else `latest` in a registry, else the only image of a local store. */
  resolve(opened: Opened, call?: Call): Promise<string>;
  registry(host: string): Registry;
  /** Copies an image, or all tags, from one location to others; reads once, writes to all. */
  copy(from: string, to: string | readonly string[], options?: CopyLocationsOptions): Promise<CopyOutcome>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Makes a client. Nothing is read or sent before it is needed. */
export function createClient(options: ClientOptions = {}): Client {
  const env = options.env ?? process.env;
  const hosts = machineHosts(options, env);
  const { settingsOf } = hosts;
  const isInsecure: IsInsecure = (host) => Boolean(settingsOf(host).plainHttp || settingsOf(host).insecure);
  const stack = transportStack(options, env, settingsOf, isInsecure);
  const known = new Map<string, RemoteShared>();
  const remote = (registry: string, use?: "pull"): RemoteOptions => {
    const shared = known.get(registry) ?? remoteShared(registry);
    known.set(registry, shared);
    return { transport: compose(stack.transport, ...hosts.routes(registry, use)), registry, shared, isInsecure };
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
    copy: (from, to, copyOptions) => copyLocations(client, from, [to].flat(), copyOptions),
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

function machineHosts(
  { hosts, registriesConf, containerdCertsDir, mirrors, onEvent }: ClientOptions,
  env: Environment,
): Hosts {
  return hostsOf({
    env,
    home: env["HOME"] || homedir(),
    now: () => systemClock.now(),
    ...(process.getuid && { uid: process.getuid() }),
    ...(hosts && { settings: hosts }),
    ...(registriesConf !== undefined && { registriesConf }),
    ...(containerdCertsDir !== undefined && { containerdCertsDir }),
    ...(mirrors !== undefined && { mirrors }),
    ...(onEvent && { onEvent }),
  });
}

/** All that lies between a request and the network, in the order of ARCHITECTURE.md. */
function transportStack(
  options: ClientOptions,
  env: Environment,
  settingsOf: SettingsOf,
  isInsecure: IsInsecure,
): { readonly transport: Transport; close(): void } {
  const { onEvent = () => {}, userAgent = `gantry/${version}` } = options;
  const nodeExtra = process.env["NODE_EXTRA_CA_CERTS"];
  const network = wire({
    userAgent,
    settingsOf,
    proxyEnv: env,
    trust: trust({ env, ...(nodeExtra !== undefined && { nodeExtra }) }),
  });
  const layers = [
    retry({ onEvent, ...(options.retries !== undefined && { attempts: options.retries + 1 }) }),
    redirect({ isInsecure }),
    authenticate({
      credentials: firstOf(...(options.credentials ?? []), ...credentialFiles(options.authFile, env)),
      isInsecure,
    }),
    limit({ onEvent }),
    scheme({ isInsecure }),
    observe({ onEvent }),
  ];
  return { transport: compose(network, ...layers), close: () => network.close() };
}

/** Podman's and Docker's files, in Podman's order. */
function credentialFiles(authFile: string | undefined, env: Environment): readonly CredentialSource[] {
  const home = env["HOME"] || homedir();
  const named = authFile ?? env["REGISTRY_AUTH_FILE"];
  if (named) return [dockerConfigSource(named, named)];
  const files = [
    env["XDG_RUNTIME_DIR"] && join(env["XDG_RUNTIME_DIR"], "containers", "auth.json"),
    join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers", "auth.json"),
    join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json"),
  ];
  return files.flatMap((file) => (file ? [dockerConfigSource(file, file)] : []));
}
