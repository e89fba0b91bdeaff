import { isAbsolute, join } from "node:path";
import { RegistryError } from "../oci/error.ts";
import type { HostSettings } from "../transport/host-settings.ts";
import { parseCertificates, readKeyPair } from "./certificates.ts";
import { readText } from "./file.ts";
import { parseTomlFile } from "./parse.ts";
import type { Table } from "./table.ts";

/** What a host may be asked for: blobs and manifests by digest; manifests by tag; uploads; lists of referrers. */
export type Capability = "pull" | "resolve" | "push" | "referrers";

/** One host of a hosts.toml. */
export interface ContainerdHost {
  /** Where its API answers, up to what a repository's name follows: `https://mirror.example/v2/`. Absent: at the registry itself. */
  readonly base?: URL;
  readonly capabilities: readonly Capability[];
  readonly settings: HostSettings;
  /** The file, and the table in it. */
  readonly origin: string;
}

/** A hosts.toml: the hosts to ask in their order, and the server that comes last. */
export interface HostsToml {
  readonly hosts: readonly ContainerdHost[];
  readonly server: ContainerdHost;
}

const capabilities: readonly Capability[] = ["pull", "resolve", "push", "referrers"];

/** Reads containerd's hosts.toml; files that it names are relative to its `directory`. Throws INVALID with file and key. */
export function parseHostsToml(text: string, directory: string): HostsToml {
  const file = join(directory, "hosts.toml");
  const conf = parseTomlFile(text, file);
  const hosts = conf.table("host");
  return {
    hosts: (hosts?.keys ?? []).map((url) => readHost(hosts!.table(url)!, url, directory)),
    server: readHost(conf, conf.text("server"), directory),
  };
}

function readHost(host: Table, url: string | undefined, directory: string): ContainerdHost {
  const base = url ? baseOf(url, host, directory) : undefined;
  const tls = {
    ...readAuthorities(host, directory),
    ...readClient(host, directory),
    ...(host.flag("skip_verify") !== undefined && { rejectUnauthorized: host.flag("skip_verify") !== true }),
  };
  const headers = readHeaders(host);
  const connect = readDuration(host, "dial_timeout");
  return {
    origin: host.at,
    capabilities: readCapabilities(host),
    ...(base && { base }),
    settings: {
      ...(base?.protocol === "http:" && { plainHttp: true }),
      ...(Object.keys(tls).length > 0 && { tls }),
      ...(headers && { headers }),
      ...(connect !== undefined && { timeouts: { connect } }),
    },
  };
}

function baseOf(text: string, host: Table, directory: string): URL {
  const written = /^https?:\/\//.test(text) ? text : `https://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url && (url.username !== "" || url.password !== "")) {
    // The table's name would show it.
    throw new RegistryError("INVALID", `${join(directory, "hosts.toml")}: the URL of a host has a user in it`, {
      hint: "leave it out: logins come from Docker's and Podman's files",
    });
  }
  if (!url || url.search !== "" || url.hash !== "") {
    throw new RegistryError("INVALID", `${host.at}: the server is not a URL that a path can follow`, {
      hint: "write https://mirror.example",
    });
  }
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = host.flag("override_path") || path.endsWith("/v2") ? `${path}/` : `${path}/v2/`;
  return url;
}

function readCapabilities(host: Table): readonly Capability[] {
  const given = host.texts("capabilities") ?? [];
  if (given.length === 0) return capabilities;
  return given.map((text) => {
    const found = capabilities.find((one) => one === text.toLowerCase());
    if (found) return found;
    throw new RegistryError("INVALID", `${host.place("capabilities")}: ${JSON.stringify(text)} is none`, {
      hint: `write ${capabilities.join(", ")}`,
    });
  });
}

function readAuthorities(host: Table, directory: string): Pick<NonNullable<HostSettings["tls"]>, "ca"> {
  const value = host.value("ca");
  const files = typeof value === "string" ? [value] : (host.texts("ca") ?? []);
  const ca = files
    .map((file) => inside(directory, file))
    .flatMap((file) => parseCertificates(readText(file, host.place("ca")), file));
  return ca.length > 0 ? { ca } : {};
}

/** A file with both, a list of such, or a list of pairs; of several the first counts. */
function readClient(host: Table, directory: string): Pick<NonNullable<HostSettings["tls"]>, "cert" | "key"> {
  const value = host.value("client");
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (first === undefined) return {};
  const pair: readonly unknown[] = Array.isArray(first) ? first : [first, first];
  const [cert, key] = pair;
  if (pair.length !== 2 || typeof cert !== "string" || typeof key !== "string") {
    throw new RegistryError("INVALID", `${host.place("client")} is neither a file nor a list of files or of pairs`);
  }
  return readKeyPair(inside(directory, cert), inside(directory, key === "" ? cert : key));
}

function readHeaders(host: Table): Readonly<Record<string, string>> | undefined {
  const table = host.table("header");
  const valueOf = (name: string): string =>
    typeof table!.value(name) === "string" ? table!.text(name)! : table!.texts(name)!.join(", ");
  return table && Object.fromEntries(table.keys.map((name) => [name.toLowerCase(), valueOf(name)]));
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads a duration as Go writes it (`1m30s`), in milliseconds. */
function readDuration(host: Table, key: string): number | undefined {
  const text = host.text(key);
  if (text === undefined || text === "") return undefined;
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw new RegistryError("INVALID", `${host.place(key)}: ${JSON.stringify(text)} is no time`, { hint: "write 5s" });
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return Math.max(1, Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0)));
}

function inside(directory: string, path: string): string {
  return isAbsolute(path) ? path : join(directory, path);
}
