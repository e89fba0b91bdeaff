import { isLoopback } from "../oci/reference.ts";

/** Says of a host (`name[:port]`) that the user declared it insecure: plain HTTP is allowed, and it may lead anywhere. */
export type IsInsecure = (host: string) => boolean;

/** Whether two URLs are of one host, port and scheme; on this machine, plain and encrypted count as one. */
export function isSameOrigin(a: URL, b: URL): boolean {
  return a.origin === b.origin || (a.host === b.host && isLoopback(a.host));
}

/** Whether what is sent there stays between the two ends: over TLS, inside this machine, or where the user waived it. */
export function isConfidential(url: URL, isInsecure?: IsInsecure): boolean {
  return url.protocol === "https:" || isLoopback(url.host) || (isInsecure?.(url.host) ?? false);
}

/**
 * Whether a registry may send us to `target`: nothing in the public network has business with loopback, link-local or
 * private addresses, which a request from here would reach behind the firewall.
 */
export function mayLeadTo(from: URL, target: URL, isInsecure?: IsInsecure): boolean {
  if (!isPrivate(target.hostname)) return true;
  return isSameOrigin(from, target) || isPrivate(from.hostname) || (isInsecure?.(from.host) ?? false);
}

/** Whether a URL's host name is this machine, or an IP address that is not of the public network. */
export function isPrivate(hostname: string): boolean {
  if (isLoopback(hostname)) return true;
  if (hostname.startsWith("[")) return isPrivateV6(hostname.slice(1, -1));
  const parts = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(hostname);
  return parts !== null && isPrivateV4(Number(parts[1]), Number(parts[2]));
}

function isPrivateV4(first: number, second: number): boolean {
  if (first === 0 || first === 10 || first === 127 || first >= 224) return true;
  if (first === 100) return second >= 64 && second < 128;
  if (first === 169) return second === 254;
  if (first === 172) return second >= 16 && second < 32;
  if (first === 192) return second === 168;
  return first === 198 && (second === 18 || second === 19);
}

/** As URL writes it: lower case, the longest run of zeros as `::`, no dotted quads. */
function isPrivateV6(address: string): boolean {
  const groups = expandV6(address);
  const first = groups[0]!;
  if ((first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80 || (first & 0xff00) === 0xff00) return true;
  const embedded = (high: number): boolean => isPrivateV4(high >> 8, high & 0xff);
  if (first === 0x2002) return embedded(groups[1]!);
  if (first === 0x64 && groups[1] === 0xff9b) return embedded(groups[6]!);
  return (
    groups.slice(0, 5).every((group) => group === 0) &&
    (groups[5] === 0 || groups[5] === 0xffff) &&
    embedded(groups[6]!)
  );
}

function expandV6(address: string): readonly number[] {
  const [head, tail] = address.split("::") as [string, string | undefined];
  const read = (text: string | undefined): number[] =>
    text ? text.split(":").map((group) => Number.parseInt(group, 16)) : [];
  const start = read(head);
  const end = read(tail);
  return [...start, ...Array<number>(Math.max(0, 8 - start.length - end.length)).fill(0), ...end];
}
