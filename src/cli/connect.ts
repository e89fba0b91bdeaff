import {
  apiHost,
  createClient,
  mergeSettings,
  parseLocation,
  parseUserPassword,
  readCertDirectory,
  readClientPair,
  RegistryError,
  userPassword,
  type Client,
  type ClientOptions,
  type Config,
  type Credential,
  type CredentialSource,
  type HostSettings,
} from "../index.ts";
import { configuredHosts, configuredKubernetes, configuredLogins, readAuthorities } from "./configured.ts";
import { mayBeImage } from "./host-or-image.ts";
import type { Io } from "./io.ts";
import type { Option } from "./option.ts";
import * as options from "./options.ts";
import { readSecret, stdinFor } from "./secrets.ts";

/** The places a command names: those it reads (or all, where there is but one side), and those it writes. */
export interface Places {
  readonly from: readonly string[];
  readonly to?: readonly string[];
}

type Get = <T>(option: Option<T>) => T;

/** A registry's host, and a repository there. */
interface Spot {
  readonly host: string;
  readonly path: string;
}

/**
 * Makes a client by the options about networks and logins and the configuration, for the places of this command. `get` has
 * what was typed and no more: that counts more than what `hosts` says for a host, and the configuration's keys at the top less.
 */
export async function connect(
  get: Get,
  places: Places,
  config: Config,
  io: Io,
  onEvent: NonNullable<ClientOptions["onEvent"]>,
  signal?: AbortSignal,
): Promise<Client> {
  return createClient({
    ...(await clientOptions(get, places, config, io, signal)),
    env: io.env,
    onEvent,
    get stdin() {
      return stdinFor(get, io);
    },
    get stdout() {
      return io.stdout;
    },
  });
}

async function clientOptions(
  get: Get,
  places: Places,
  config: Config,
  io: Io,
  signal?: AbortSignal,
): Promise<ClientOptions> {
  const from = places.from.flatMap(spotsOf);
  const to = (places.to ?? []).flatMap(spotsOf);
  const ca = readAuthorities(get(options.caFile), config);
  const authFile = get(options.authfile) ?? config.values.authFile;
  const retries = get(options.retries) ?? config.values.retries;
  const retryDelay = get(options.retryDelay) ?? config.values.retryDelay;
  const userAgent = get(options.userAgent) ?? config.values.userAgent;
  // More than six large blobs at a time fill caches and buffers, and are no faster. Several destinations read each blob
  // together, so that none of them may keep the others waiting for its turn.
  const uploads = get(options.jobs) ?? config.values.jobs ?? (to.length === 1 ? 6 : undefined);
  const logins = configuredLogins(config);
  const registriesConf = get(options.registriesConf) ?? config.values.registriesConf;
  const { shortNames } = config.values;
  return {
    credentials: [
      ...login("--src-creds", get(options.srcCreds), from),
      ...login("--src-registry-token", get(options.srcRegistryToken), from),
      ...login("--dest-creds", get(options.destCreds), to),
      ...login("--dest-registry-token", get(options.destRegistryToken), to),
      ...login("--creds", await givenLogin(get, io, signal), [...from, ...to]),
      ...login("--registry-token", get(options.registryToken), [...from, ...to]),
    ],
    hosts: configuredHosts(config, { hosts: hostSettings(get, from, to, config), ca, inUrls: asked }),
    ...(logins && { logins }),
    ...configuredKubernetes(config),
    mirrors: get(options.useMirrors),
    ...(shortNames !== undefined && { shortNames }),
    ...(registriesConf !== undefined && { registriesConf }),
    ...(authFile !== undefined && { authFile }),
    ...(retries !== undefined && { retries }),
    ...(retryDelay !== undefined && { retryDelay }),
    ...(userAgent !== undefined && { userAgent }),
    ...(uploads !== undefined && { uploads }),
  };
}

/** How hosts are reached: what the options say of TLS holds for those that the command names, and for no other. */
function hostSettings(
  get: Get,
  from: readonly Spot[],
  to: readonly Spot[],
  config: Config,
): ReadonlyMap<string, HostSettings> {
  const tlsVerify = get(options.tlsVerify);
  const plainHttp = get(options.plainHttp);
  const certDir = get(options.certDir) ?? config.values.certDir;
  const side = (verify: boolean | undefined, plain: boolean, directory: string | undefined): HostSettings => ({
    ...((verify ?? tlsVerify) !== undefined && { insecure: !(verify ?? tlsVerify) }),
    ...((verify ?? tlsVerify) && { plainHttp: false }),
    ...((plain || plainHttp) && { plainHttp: true }),
    ...certificates(get, directory ?? certDir),
  });
  const settings = new Map<string, HostSettings>([["*", forAllHosts(get)]]);
  const add = (host: string, own: HostSettings): void =>
    void settings.set(host, mergeSettings(settings.get(host) ?? {}, own));
  const headers = Object.fromEntries(get(options.header));
  for (const [host, address] of get(options.resolve)) add(asked(host), { address });
  for (const { host } of [...from, ...to]) add(host, { headers });
  const source = side(get(options.srcTlsVerify), get(options.srcPlainHttp), get(options.srcCertDir));
  for (const { host } of from) add(host, source);
  const destination = side(get(options.destTlsVerify), get(options.destPlainHttp), get(options.destCertDir));
  for (const { host } of to) add(host, destination);
  for (const [host, mirrors] of get(options.mirror)) add(asked(host), { mirrors });
  return settings;
}

/** The user and password of --creds, the password from stdin where it is to be read there. */
async function givenLogin(get: Get, io: Io, signal?: AbortSignal): Promise<Credential | undefined> {
  const creds = get(options.creds);
  if (!get(options.passwordStdin)) return creds === undefined ? undefined : parseUserPassword(creds, "--creds");
  if (creds === undefined || creds === "" || creds.includes(":"))
    throw new RegistryError("INVALID", "--password-stdin goes with --creds USER, without a password there");
  return userPassword(creds, await readSecret(io.stdin, signal));
}

/** The way that holds for every host. */
function forAllHosts(get: Get): HostSettings {
  const defined = <T extends object>(settings: T): T | undefined => {
    const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
    return entries.length > 0 ? (Object.fromEntries(entries) as T) : undefined;
  };
  return {
    ...defined({
      tls: defined({ minVersion: get(options.minTls) }),
      proxy: get(options.proxy),
      timeouts: defined({
        connect: get(options.connectTimeout),
        answer: get(options.answerTimeout),
        idle: get(options.idleTimeout),
      }),
      maxIdle: get(options.maxIdle),
      quotaReserve: get(options.quotaReserve),
    }),
  };
}

/** What a directory of certificates, or a client's certificate and its key, bring. */
function certificates(get: Get, directory: string | undefined): Pick<HostSettings, "tls"> {
  const [cert, key] = [get(options.certFile), get(options.keyFile)];
  if (key !== undefined && cert === undefined) {
    throw new RegistryError("INVALID", "--key-file is given without --cert-file");
  }
  const found = directory === undefined ? {} : readCertDirectory(directory);
  if (!found) throw new RegistryError("INVALID", `${directory}: there is no such directory, or it may not be read`);
  const tls = { ...found, ...(cert !== undefined && readClientPair(cert, key)) };
  return Object.keys(tls).length > 0 ? { tls } : {};
}

/** A login that goes to the places it was given for, and nowhere else. */
function login(name: string, credential: Credential | undefined, spots: readonly Spot[]): CredentialSource[] {
  if (!credential) return [];
  if (spots.length === 0)
    throw new RegistryError("INVALID", `${name} is for a registry, and there is none on that side`);
  const fits = (host: string, path: string): boolean =>
    spots.some((spot) => spot.host === host && (spot.path === "" || path === "" || spot.path === path));
  const given = { ...credential, origin: name };
  return [{ name, find: (host, path) => Promise.resolve(fits(host, path) ? given : undefined) }];
}

function spotsOf(place: string): Spot[] {
  const host = hostOf(place);
  const named = host === undefined ? [] : [{ host: asked(host), path: "" }];
  if (host !== undefined && !mayBeImage(host)) return named;
  const location = parseLocation(place);
  return location.transport === "registry"
    ? [...named, { host: asked(location.reference.registry), path: location.reference.repository }]
    : [];
}

/** A registry's host as it stands in URLs. */
function asked(registry: string): string {
  return apiHost(registry);
}

/** The registry that a word names by its host alone (`registry.example`, `localhost:5000/`, `[::1]:5000`), if it does. */
export function hostOf(place: string): string | undefined {
  const bare = place.replace(/^docker:\/\//, "").replace(/\/$/, "");
  if (!/^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?$/.test(bare) || /^(?:oci|oci-archive|docker-archive|dir):/.test(bare)) {
    return undefined;
  }
  return bare === "localhost" || /[.[:]/.test(bare) ? bare.toLowerCase() : undefined;
}
