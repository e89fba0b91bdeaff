import type { BlockList } from "node:net";

/** Whether a host (a URL's `hostname`) and port are reached without the proxy. */
export type NoProxy = (hostname: string, port: number) => boolean;

interface Rule {
  /** Absent: every port. */
  readonly port?: number;
  fits(name: string): boolean;
}

/**
 * Reads NO_PROXY as Go and curl do: names, joined by commas or spaces, each with all that ends in it; `.suffix` or
 * `*.suffix` for those below it alone; `*` for all; addresses, and ranges of them (`10.0.0.0/8`); each with `:port` to
 * hold for that alone. What is none of these fits nothing.
 */
export function parseNoProxy(text: string): NoProxy {
  const rules = text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map(readRule);
  return (hostname, port) => {
    const name = bareHost(hostname.toLowerCase()).replace(/\.$/, "");
    return rules.some((rule) => (rule.port === undefined || rule.port === port) && rule.fits(name));
  };
}

function readRule(entry: string): Rule {
  if (entry === "*") return { fits: () => true };
  const [, bracketed, plain, port] = /^(?:(\[.+\])|(.+?))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  // The colons of an address without brackets are its own.
  const whole = isIP(entry.replace(/\/\d+$/, "")) !== 0;
  const host = whole ? entry : bareHost(bracketed ?? plain ?? entry);
  return { fits: fitting(host), ...(!whole && port !== undefined && { port: Number(port) }) };
}

function fitting(host: string): Rule["fits"] {
  const [address = "", bits] = host.split("/");
  if (isIP(address) !== 0) return withinRange(address, bits);
  const suffix = /^\*?\.(.+)$/.exec(host)?.[1];
  if (suffix !== undefined) return (name) => name.endsWith(`.${suffix}`);
  return (name) => name === host || name.endsWith(`.${host}`);
}

/** An address fits whichever way it is written. */
function withinRange(address: string, bits: string | undefined): Rule["fits"] {
  const size = isIP(address) === 4 ? 32 : 128;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= size)) return () => false;
  const list: BlockList = new (process.getBuiltinModule("node:net").BlockList)();
  list.addSubnet(address, bits === undefined ? size : Number(bits), family(address));
  return (name) => isIP(name) !== 0 && list.check(name, family(name));
}

/** 4, 6, or 0 for what is no IP address. */
export function isIP(text: string): number {
  return process.getBuiltinModule("node:net").isIP(text);
}

/** A URL's `hostname` without the brackets of an IPv6 address. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}
