import { BlockList, isIP, isIPv6 } from "node:net";
import { RegistryError } from "../../oci/error.ts";
import type { ServerRequest } from "../message.ts";

/** Where a request came to, as its client sees it, and where it came from. */
export interface Origin {
  /** The URL of the token endpoint. */
  readonly realm: string;
  /** The name that tokens are issued for. */
  readonly service: string;
  /** Who to count failures for: an IPv4 address, an IPv6 network of 64 bits, or one name for all in process. */
  readonly client: string;
}

export interface OriginOptions {
  /** The URL that clients reach the registry by, where the Host header does not say it. */
  readonly publicUrl?: string;
  /** The name that tokens are issued for; the host, where absent. */
  readonly service?: string;
  /** Addresses and networks (`10.0.0.0/8`) of proxies whose X-Forwarded-Proto, -Host and -For are believed. */
  readonly trustedProxies?: readonly string[];
}

const hostForm = /^(?:[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** Reads origins; undefined is a Host header that is missing or that nothing could be called. Throws INVALID for bad settings. */
export function originReader(options: OriginOptions): (request: ServerRequest) => Origin | undefined {
  const fixed = options.publicUrl === undefined ? undefined : parsePublicUrl(options.publicUrl);
  if (options.service !== undefined && !/^[\w.:[\]-]+$/.test(options.service)) {
    throw new RegistryError("INVALID", `the service name ${JSON.stringify(options.service)} is not like a host's`);
  }
  const isProxy = proxyTest(options.trustedProxies ?? []);
  return (request) => {
    const { headers } = request;
    const remote = plainAddress(request.remote ?? "");
    const proxied = isProxy(remote);
    const client =
      request.remote === undefined
        ? "in process"
        : clientOf(remote, proxied ? headers["x-forwarded-for"] : undefined, isProxy);
    if (fixed) return { realm: fixed.realm, service: options.service ?? fixed.host, client };
    const host = ((proxied && last(headers["x-forwarded-host"])) || headers["host"])?.toLowerCase();
    if (host === undefined || !hostForm.test(host)) return undefined;
    const forwarded = proxied ? last(headers["x-forwarded-proto"]) : undefined;
    const secure = forwarded === undefined ? request.secure : forwarded.toLowerCase() === "https";
    return { realm: `${secure ? "https" : "http"}://${host}/token`, service: options.service ?? host, client };
  };
}

function parsePublicUrl(text: string): { realm: string; host: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "" && url.hash === "";
  if (!plain) {
    const shown = text.includes("@") ? "" : ` ${JSON.stringify(text)}`; // Before an @, there may be a password.
    throw new RegistryError("INVALID", `the public URL${shown} is not http(s)://host[:port]`);
  }
  return { realm: `${url.href.replace(/\/+$/, "")}/token`, host: url.host };
}

function proxyTest(trusted: readonly string[]): (address: string) => boolean {
  if (trusted.length === 0) return () => false;
  const list = new BlockList();
  for (const text of trusted) {
    const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const kind = isIPv6(address) ? "ipv6" : "ipv4";
    const most = kind === "ipv6" ? 128 : 32;
    if (isIP(address) === 0 || Number(bits ?? most) > most) {
      throw new RegistryError(
        "INVALID",
        `the trusted proxy ${JSON.stringify(text)} is neither an address nor a network`,
        {
          hint: "write 10.0.0.7 or 10.0.0.0/8",
        },
      );
    }
    list.addSubnet(address, bits === undefined ? most : Number(bits), kind);
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

/** The nearest address that is no proxy of ours: what lies beyond it, the client could have written itself. */
function clientOf(remote: string, forwarded: string | undefined, isProxy: (address: string) => boolean): string {
  const hops = (forwarded ?? "").split(",").map((hop) => plainAddress(hop.trim()));
  const nearest = hops.toReversed().find((hop) => !isProxy(hop));
  return network(nearest !== undefined && isIP(nearest) !== 0 ? nearest : remote);
}

/** An IPv4 address as such, also where a socket for both shows it as an IPv6 one. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.)/i, "");
}

/** One machine has a whole IPv6 network of 64 bits to send from. */
function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  return [...left, ...zeros, ...right].slice(0, 4).join(":").toLowerCase();
}

/** The value that the nearest proxy wrote. */
function last(header: string | undefined): string | undefined {
  return header?.split(",").at(-1)?.trim();
}
