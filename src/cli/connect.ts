import { readFile } from "node:fs/promises";
import {
  apiHost,
  createClient,
  mergeSettings,
  parseLocation,
  readCertDirectory,
  readClientPair,
  RegistryError,
  type Client,
  type ClientOptions,
  type Credential,
  type CredentialSource,
  type HostSettings,
} from "../index.ts";
import type { Io } from "./io.ts";
import type { Option } from "./option.ts";
import * as options from "./options.ts";

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

/** Makes a client by the options about networks and logins, for the places of this command. */
export async function connect(
  get: Get,
  places: Places,
  io: Io,
  onEvent: NonNullable<ClientOptions["onEvent"]>,
): Promise<Client> {
  return createClient({
    ...(await clientOptions(get, places)),
    env: io.env,
    onEvent,
    get stdin() {
      return io.stdin;
    },
    get stdout() {
      return io.stdout;
    },
  });
}

async function clientOptions(get: Get, places: Places): Promise<ClientOptions> {
  const from = places.from.flatMap(spotsOf);
  const to = (places.to ?? []).flatMap(spotsOf);
  const ca = await Promise.all(get(options.caFile).map((file) => readFile(file, "utf8")));
  const authFile = get(options.authfile);
  const retries = get(options.retries);
  const registriesConf = get(options.registriesConf);
  return {
    credentials: [
      ...login("--src-creds", get(options.srcCreds), from),
      ...login("--dest-creds", get(options.destCreds), to),
      ...login("--creds", get(options.creds), [...from, ...to]),
    ],
    hosts: hostSettings(get, from, to, ca),
    mirrors: get(options.useMirrors),
    ...(registriesConf !== undefined && { registriesConf }),
    ...(authFile !== undefined && { authFile }),
    ...(retries !== undefined && { retries }),
  };
}

/** How the hosts of a command are reached: what it says of TLS holds for those it names, and for no other. */
function hostSettings(
  get: Get,
  from: readonly Spot[],
  to: readonly Spot[],
  ca: readonly string[],
): NonNullable<ClientOptions["hosts"]> {
  const tlsVerify = get(options.tlsVerify);
  const plainHttp = get(options.plainHttp);
  const certDir = get(options.certDir);
  const side = (verify: boolean | undefined, plain: boolean, directory: string | undefined): HostSettings => ({
    ...((verify ?? tlsVerify) === false && { insecure: true }),
    ...((plain || plainHttp) && { plainHttp: true }),
    ...certificates(get, directory ?? certDir),
  });
  const settings = new Map<string, HostSettings>(ca.length > 0 ? [["*", { tls: { ca } }]] : []);
  const add = (host: string, own: HostSettings): void =>
    void settings.set(host, mergeSettings(settings.get(host) ?? {}, own));
  const source = side(get(options.srcTlsVerify), get(options.srcPlainHttp), get(options.srcCertDir));
  for (const { host } of from) add(host, source);
  const destination = side(get(options.destTlsVerify), get(options.destPlainHttp), get(options.destCertDir));
  for (const { host } of to) add(host, destination);
  for (const [host, mirrors] of get(options.mirror)) add(asked(host), { mirrors });
  return Object.fromEntries(settings);
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
  return [{ name, find: (host, path) => Promise.resolve(fits(host, path) ? credential : undefined) }];
}

function spotsOf(place: string): Spot[] {
  const host = hostOf(place);
  if (host !== undefined) return [{ host: asked(host), path: "" }];
  const location = parseLocation(place);
  return location.transport === "registry"
    ? [{ host: asked(location.reference.registry), path: location.reference.repository }]
    : [];
}

/** A registry's host as it stands in URLs. */
function asked(registry: string): string {
  return apiHost(registry).replace(/:443$/, "");
}

/** The registry that a word names by its host alone (`registry.example`, `localhost:5000/`, `[::1]:5000`), if it does. */
export function hostOf(place: string): string | undefined {
  const bare = place.replace(/^docker:\/\//, "").replace(/\/$/, "");
  if (!/^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?$/.test(bare) || /^(?:oci|oci-archive|docker-archive|dir):/.test(bare)) {
    return undefined;
  }
  return bare === "localhost" || /[.[:]/.test(bare) ? bare.toLowerCase() : undefined;
}
