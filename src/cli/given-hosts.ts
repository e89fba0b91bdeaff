import {
  apiHost,
  mergeSettings,
  parseReference,
  readCertDirectory,
  readKeyPair,
  RegistryError,
  type Config,
  type HostSettings,
} from "../index.ts";
import type { Get } from "./option.ts";
import * as options from "./options.ts";
import type { Sides } from "./places.ts";

/** How hosts are reached: what the options say of TLS holds for those that the command names, and for no other. */
export function givenHosts(get: Get, { from, to }: Sides, config: Config): ReadonlyMap<string, HostSettings> {
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
  for (const [host, address] of get(options.resolve)) add(apiHost(host), { address });
  for (const { host } of [...from, ...to]) add(host, { headers });
  for (const [host, provider] of givenProvider(get, { from, to })) add(host, { provider });
  const source = side(get(options.srcTlsVerify), get(options.srcPlainHttp), get(options.srcCertDir));
  for (const { host } of from) add(host, source);
  const destination = side(get(options.destTlsVerify), get(options.destPlainHttp), get(options.destCertDir));
  for (const { host } of to) add(host, destination);
  for (const [host, mirrors] of get(options.mirror)) add(apiHost(host), { mirrors });
  return settings;
}

/** Whose a registry is said to be: logins of that service's own tools may go there, so that it is never left open which. */
function givenProvider(get: Get, { from, to }: Sides): readonly (readonly [host: string, provider: string])[] {
  const provider = get(options.provider);
  if (provider === undefined) return [];
  const named = [...new Set([...from, ...to].map(({ host }) => host))];
  // What is Docker Hub's needs no saying, and what may be an image there is meant as the other thing that it may be.
  const others = named.filter((host) => host !== apiHost(parseReference("x").registry));
  const hosts = others.length > 0 ? others : named;
  if (hosts.length === 1) return [[hosts[0]!, provider]];
  throw new RegistryError(
    "INVALID",
    `--provider is for one registry, and the command names ${hosts.length || "none"}`,
    {
      hint: "say it in the configuration: hosts.HOST.provider",
    },
  );
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
  const tls = { ...found, ...(cert !== undefined && readKeyPair(cert, key)) };
  return Object.keys(tls).length > 0 ? { tls } : {};
}
