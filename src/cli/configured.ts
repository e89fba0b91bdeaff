import { readFileSync } from "node:fs";
import { fileError } from "../files/file-error.ts";
import {
  apiHost,
  checkKeyPair,
  mergeSettings,
  parseCertificates,
  RegistryError,
  type PemFile,
  type ClientOptions,
  type Config,
  type HostSettings,
} from "../index.ts";

type ReadonlyHosts = Readonly<Record<string, HostSettings>>;
type HostValues = NonNullable<Config["values"]["hosts"]>[string];

/** What a command line says of hosts, by `name[:port]` as it stands in URLs; `*` is for all. */
export interface Asked {
  readonly hosts: ReadonlyMap<string, HostSettings>;
  /** Authorities trusted for all hosts: PEM texts. */
  readonly ca: readonly string[];
}

/**
 * How hosts are reached: as the command line says, else the configuration for the host, for `*`, and its keys at the
 * top. Each host's certificates are read when somebody wants to know: nobody needs those of all.
 */
export function configuredHosts(config: Config, { hosts: asked, ca }: Asked): ReadonlyHosts {
  const configured = config.values.hosts ?? {};
  const all = once(() => hostSettings("*", configured["*"] ?? {}, config, ca));
  const own = (name: string): HostSettings => {
    if (name === "*") return mergeSettings(all(), plainSettings(config.values));
    const trusted = [all().tls?.ca ?? []].flat();
    return Object.keys(configured)
      .filter((one) => apiHost(one) === name)
      .map((one) => hostSettings(one, configured[one]!, config, trusted))
      .reduce(mergeSettings, {});
  };
  const names = new Set([...asked.keys(), ...Object.keys(configured).map(apiHost), "*"]);
  const hosts: ReadonlyHosts = {};
  for (const name of names) {
    const above = mergeSettings(asked.get(name) ?? {}, asked.get("*") ?? {});
    Object.defineProperty(hosts, name, { enumerable: true, get: once(() => mergeSettings(above, own(name))) });
  }
  return hosts;
}

/** Logins of the configuration. */
export function configuredLogins({ values, settings }: Config): ClientOptions["logins"] {
  if (!values.credentials) return undefined;
  const places = settings
    .filter(({ path }) => path[0] === "credentials")
    .map(({ origin }) => origin.replace(/:\d+$/, ""));
  return { logins: values.credentials, origin: `${[...new Set(places)].join(", ")}: credentials` };
}

/** Which secrets of Kubernetes are used: its API is asked for nothing unless the configuration says so. */
export function configuredKubernetes({ values: { kubernetes } }: Config): Pick<ClientOptions, "kubernetes"> {
  if (!kubernetes) return {};
  const { enabled, registry, kubeconfig, context, namespace, serviceAccount } = kubernetes;
  const pullSecrets = enabled && defined({ kubeconfig, context, namespace, serviceAccount });
  return { kubernetes: defined({ registry, pullSecrets: pullSecrets || undefined }) };
}

function hostSettings(name: string, values: HostValues, config: Config, trusted: readonly string[]): HostSettings {
  const { insecure, plainHttp, caFiles = [], certFile, keyFile, address, headers, mirrors } = values;
  const { provider, api, env } = values;
  const at = (key: string): string => placeOf(config, ["hosts", name, key]);
  const ca = [...trusted, ...caFiles.map((file) => readAuthority(file, at("caFiles")))];
  if (keyFile !== undefined && certFile === undefined) {
    throw new RegistryError("INVALID", `${at("keyFile")}: there is no certFile beside it`);
  }
  const pair =
    certFile &&
    checkKeyPair(
      readPem(certFile, at("certFile")),
      keyFile === undefined ? undefined : readPem(keyFile, at("keyFile")),
    );
  const { tls, ...plain } = plainSettings(values);
  return defined({
    ...plain,
    tls: orNone(defined({ ...tls, ca: ca.length > 0 ? ca : undefined, ...pair })),
    insecure,
    plainHttp,
    address,
    headers,
    mirrors,
    provider,
    api,
    env,
  });
}

/** What needs no file, and may stand at the top as well. */
function plainSettings(values: Config["values"] | HostValues): HostSettings {
  const { proxy, connectTimeout, answerTimeout, idleTimeout, maxIdle, minTls, quotaReserve } = values;
  return defined({
    tls: minTls && { minVersion: `TLSv${minTls}` as const },
    timeouts: orNone(defined({ connect: connectTimeout, answer: answerTimeout, idle: idleTimeout })),
    proxy,
    maxIdle,
    quotaReserve,
  });
}

/** What is said, without what is not: an undefined would hide what others say. */
function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function orNone<T extends object>(values: T): T | undefined {
  return Object.keys(values).length > 0 ? values : undefined;
}

function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => (done ??= { value: work() }).value;
}

/** The authorities for all hosts: of the files that were typed, else of the configuration's. */
export function readAuthorities(typed: readonly string[], config: Config): readonly string[] {
  if (typed.length > 0) return typed.map((file) => readAuthority(file, "--ca-file"));
  return (config.values.caFiles ?? []).map((file) => readAuthority(file, placeOf(config, ["caFiles"])));
}

/** Where a value of the configuration stands, for people. */
function placeOf({ settings }: Config, path: readonly string[]): string {
  const said = settings.find((one) => one.path.join("\n") === path.join("\n"));
  return `${said?.origin}: ${said?.name}`;
}

function readAuthority(file: string, at: string): string {
  const { text, name } = readPem(file, at);
  parseCertificates(text, name);
  return text;
}

function readPem(file: string, at: string): PemFile {
  try {
    return { name: `${file} (${at})`, text: readFileSync(file, "utf8") };
  } catch (error) {
    throw fileError(error, `read ${file} (${at})`);
  }
}
