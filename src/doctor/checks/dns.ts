import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { isLoopback } from "../../oci/reference.ts";
import { blame } from "../blame.ts";
import type { Bench } from "../context.ts";
import { fault, fine, warning, type Diagnosis, type Step } from "../diagnosis.ts";
import type { Place } from "../place.ts";
import type { Route } from "../route.ts";

/** Where to connect to: the registry itself, or the proxy before it. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly route: Route;
}

/** Looks the host up, or the proxy's, which looks the host up itself; tells each address, and who else but DNS had a say. */
export async function checkDns(place: Place, route: Route, bench: Bench): Promise<Step<Target>> {
  const { hostname, port } = route.kind === "proxy" ? proxyAt(route.url) : place;
  const target = (addresses: readonly string[]): Target => ({ host: hostname, port, addresses, route });
  const { address } = bench.settingsOf(place.host);
  if (route.kind === "direct" && address !== undefined)
    return { told: [fine("dns", `not asked: ${address} is set for ${place.host}`)], known: target([address]) };
  if (isIP(hostname) !== 0)
    return { told: [fine("dns", `not asked: ${hostname} is an address`)], known: target([hostname]) };
  const who = route.kind === "proxy" ? { ...place, host: hostname } : place;
  try {
    const found = await bench.lookup(hostname);
    const addresses = [...new Set(found.map((one) => one.address))];
    if (addresses.length === 0) throw Object.assign(new Error("no addresses"), { code: "ENOTFOUND" });
    if (addresses.every((one) => one === "0.0.0.0" || one === "::")) return { told: [blocked(hostname, addresses)] };
    const told = fine("dns", `${hostname} is ${addresses.join(", ")}`, { host: place.host });
    return { told: [told, ...(await surprises(hostname, bench))], known: target(addresses) };
  } catch (error) {
    return { told: [blame("dns", error, who, { url: `https://${hostname}/` })] };
  }
}

function proxyAt(url: URL): { readonly hostname: string; readonly port: number } {
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || (url.protocol === "https:" ? 443 : 80)),
  };
}

function blocked(hostname: string, addresses: readonly string[]): Diagnosis {
  return fault("dns", `${hostname} is ${addresses.join(", ")}, which is nowhere`, {
    code: "NETWORK",
    host: hostname,
    cause: "a DNS filter, or a line in /etc/hosts, blocks the name",
    command: `getent hosts ${hostname}`,
  });
}

/** A file that names the host before DNS is asked, or a search domain that makes another name of it. */
async function surprises(hostname: string, { lookup, hostsFile }: Bench): Promise<readonly Diagnosis[]> {
  if (isLoopback(hostname)) return [];
  const line = await lineIn(hostsFile, hostname);
  if (line !== undefined) {
    const more = { host: hostname, cause: "what DNS says about the name is not asked", command: `cat ${hostsFile}` };
    return [warning("dns", `line ${line} of ${hostsFile} names ${hostname}`, more)];
  }
  const absolute = await lookup(`${hostname}.`).catch((error: NodeJS.ErrnoException) => error.code);
  if (absolute !== "ENOTFOUND") return [];
  return [
    warning("dns", `${hostname} is found only with a search domain put after it`, {
      host: hostname,
      cause: "on another machine, or for a container, the name may be another host or none: write it in full",
      command: "grep search /etc/resolv.conf",
    }),
  ];
}

async function lineIn(file: string, hostname: string): Promise<number | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  const line = text.split("\n").findIndex((one) => {
    const [address, ...names] = one.replace(/#.*/, "").trim().split(/\s+/);
    return address !== "" && names.some((name) => name.toLowerCase() === hostname);
  });
  return line < 0 ? undefined : line + 1;
}
