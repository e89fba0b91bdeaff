import { readFileSync } from "node:fs";
import {
  configSource,
  mergeSettings,
  RegistryError,
  type Config,
  type CredentialSource,
  type HostSettings,
} from "../index.ts";

type HostValues = NonNullable<Config["values"]["hosts"]>[string];

/**
 * How the configuration says that hosts are reached, by `asked` as they stand in URLs; the keys at the top hold for all.
 * Each host's certificates are read when somebody wants to know: nobody needs those of all.
 */
export function configuredHosts(
  config: Config,
  ca: readonly string[],
  asked: (host: string) => string,
): Readonly<Record<string, HostSettings>> {
  const { hosts = {} } = config.values;
  const settings: Record<string, HostSettings> = {};
  const general = (): HostSettings =>
    mergeSettings(hostSettings("*", hosts["*"] ?? {}, config, ca), generalSettings(config));
  for (const name of new Set(["*", ...Object.keys(hosts)])) {
    const read = name === "*" ? general : () => hostSettings(name, hosts[name]!, config, ca);
    for (const key of new Set([name, asked(name)]))
      Object.defineProperty(settings, key, { enumerable: true, get: read });
  }
  return settings;
}

/** Logins of the configuration. */
export function configuredLogins({ values, settings }: Config): readonly CredentialSource[] {
  if (!values.credentials) return [];
  const places = settings
    .filter(({ path }) => path[0] === "credentials")
    .map(({ origin }) => origin.replace(/:\d+$/, ""));
  return [configSource(values.credentials, `${[...new Set(places)].join(", ")}: credentials`)];
}

function generalSettings({ values }: Config): HostSettings {
  const { proxy, connectTimeout, answerTimeout, idleTimeout, maxIdle, minTls, quotaReserve } = values;
  return plainSettings({ proxy, connectTimeout, answerTimeout, idleTimeout, maxIdle, minTls, quotaReserve });
}

function hostSettings(name: string, values: HostValues, config: Config, ca: readonly string[]): HostSettings {
  const { insecure, plainHttp, caFiles = [], certFile, keyFile, address, headers, mirrors } = values;
  const pem = (key: string, file: string): string => readPem(file, config, ["hosts", name, key]);
  const plain = plainSettings(values);
  const trusted = [...ca, ...caFiles.map((file) => pem("caFiles", file))];
  const tls = {
    ...plain.tls,
    ...(trusted.length > 0 && { ca: trusted }),
    ...(certFile !== undefined && { cert: pem("certFile", certFile), key: pem("certFile", certFile) }),
    ...(keyFile !== undefined && { key: pem("keyFile", keyFile) }),
  };
  return {
    ...plain,
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(insecure !== undefined && { insecure }),
    ...(plainHttp !== undefined && { plainHttp }),
    ...(address !== undefined && { address }),
    ...(headers && { headers }),
    ...(mirrors && { mirrors }),
  };
}

/** What needs no file. */
function plainSettings(values: Omit<HostValues, "caFiles">): HostSettings {
  const { proxy, connectTimeout, answerTimeout, idleTimeout, maxIdle, minTls, quotaReserve } = values;
  const timeouts = {
    ...(connectTimeout !== undefined && { connect: connectTimeout }),
    ...(answerTimeout !== undefined && { answer: answerTimeout }),
    ...(idleTimeout !== undefined && { idle: idleTimeout }),
  };
  return {
    ...(minTls !== undefined && { tls: { minVersion: `TLSv${minTls}` as const } }),
    ...(proxy !== undefined && { proxy }),
    ...(Object.keys(timeouts).length > 0 && { timeouts }),
    ...(maxIdle !== undefined && { maxIdle }),
    ...(quotaReserve !== undefined && { quotaReserve }),
  };
}

function readPem(file: string, { settings }: Config, path: readonly string[]): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const setting = settings.find((one) => one.path.join("\n") === path.join("\n"));
    const { code } = error as NodeJS.ErrnoException;
    throw new RegistryError("INVALID", `${setting?.origin}: ${setting?.name}: ${file} cannot be read (${code})`, {
      cause: error,
      hint: "mend the path, or the file's permissions",
    });
  }
}
