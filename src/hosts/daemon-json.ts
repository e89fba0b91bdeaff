import { RegistryError } from "../oci/error.ts";
import { parseJsonFile } from "./parse.ts";

/** What Docker's daemon.json says of registries; its many other keys are passed over. */
export interface DaemonJson {
  /** Where Docker Hub's images are pulled from first. */
  readonly mirrors: readonly URL[];
  /** Whether a host (`name[:port]`) may go without a certificate, and without TLS. Names are not looked up: a network fits addresses only. */
  isInsecure(host: string): boolean;
  readonly file: string;
}

/** Reads a daemon.json. Throws INVALID with file and key. */
export function parseDaemonJson(text: string, file: string): DaemonJson {
  const conf = parseJsonFile(text, file);
  const insecure = conf.texts("insecure-registries") ?? [];
  const hosts = new Set(
    insecure.filter((one) => !one.includes("/") || one.includes("://")).map((one) => bare(one).toLowerCase()),
  );
  const networks = insecure
    .filter((one) => one.includes("/") && !one.includes("://"))
    .map((one) => parseNetwork(one, conf.place("insecure-registries")));
  return {
    file,
    mirrors: (conf.texts("registry-mirrors") ?? []).map((one) => parseMirror(one, conf.place("registry-mirrors"))),
    isInsecure: (host) => hosts.has(host) || networks.some((fits) => fits(nameOf(host))),
  };
}

/** Docker takes a scheme here, and looks away. */
function bare(text: string): string {
  return text.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

function nameOf(host: string): string {
  return host.startsWith("[") ? host.slice(1, host.indexOf("]")) : host.replace(/:\d+$/, "");
}

function parseNetwork(text: string, at: string): (address: string) => boolean {
  const { BlockList, isIP } = process.getBuiltinModule("node:net");
  const [address = "", bits = ""] = text.split("/");
  const kind = (of: string): "ipv4" | "ipv6" => (isIP(of) === 6 ? "ipv6" : "ipv4");
  const list = new BlockList();
  try {
    if (!/^\d{1,3}$/.test(bits)) throw new RangeError("no number of bits");
    list.addSubnet(address, Number(bits), kind(address));
  } catch (error) {
    throw new RegistryError("INVALID", `${at}: ${JSON.stringify(text)} is no network`, {
      cause: error,
      hint: "write host[:port], or a network such as 10.0.0.0/8",
    });
  }
  return (of) => isIP(of) !== 0 && list.check(of, kind(of));
}

function parseMirror(text: string, at: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fits = url && /^https?:$/.test(url.protocol) && /^\/?$/.test(url.pathname) && !url.search && !url.hash;
  if (fits && !url.username && !url.password) return url;
  throw new RegistryError(
    "INVALID",
    `${at}: ${text.includes("@") ? "a mirror" : JSON.stringify(text)} is not a URL of a host alone`,
    {
      hint: "write https://mirror.example",
    },
  );
}
