import { isIP } from "node:net";
import {
  headerFault,
  hostPlatform,
  parsePlatform,
  parseUserPassword,
  providerNames,
  readDuration,
  readSize,
  RegistryError,
  Secret,
  type Credential,
  type Platform,
  type ProviderName,
} from "../index.ts";

/** Reads a number of things: 1 or more. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not a whole number from 1 on`);
}

/** Reads a number of bytes: `800k`, `20MB`, `1.5GiB`. */
export function parseSize(text: string): number {
  const size = readSize(text);
  if (size !== undefined) return size;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not a number of bytes`, {
    hint: "write 800kB, 20MB or 1GiB",
  });
}

/** Reads a time as milliseconds: `500ms`, `10s`, `1h30m`; a number alone is in seconds, 0 is allowed. */
export function parseDuration(text: string): number {
  const ms = readDuration(text);
  if (ms !== undefined) return ms;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not a time, or more than 24 days`, {
    hint: "write 500ms, 10s or 2m; a number alone is in seconds",
  });
}

/** Reads how many there are to be: 0 or more. */
export function parseNumber(text: string): number {
  return text === "0" ? 0 : parseCount(text);
}

/** Reads `NAME: VALUE`; the value, which may be a secret, is in no message. */
export function parseHeader(text: string): readonly [name: string, value: string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new RegistryError("INVALID", 'a header is written "NAME: VALUE"');
  const [name, value] = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  const fault = headerFault(name, value);
  if (fault !== undefined) throw new RegistryError("INVALID", fault);
  return [name, value];
}

/** Reads `HOST[:PORT]:ADDRESS`, as curl has it; the host as it stands in URLs. */
export function parseResolve(text: string): readonly [host: string, address: string] {
  const [, host, port, address] =
    /^([\w.-]+)(?::(\d{1,5}))?:(\[[\da-fA-F:.]+\]|[\d.]+|[\da-fA-F]*:[\da-fA-F:.]+)$/.exec(text) ?? [];
  const bare = address?.replace(/^\[|\]$/g, "");
  if (host !== undefined && bare !== undefined && isIP(bare) !== 0 && Number(port ?? 1) <= 65_535) {
    return [`${host.toLowerCase()}${port === undefined ? "" : `:${port}`}`, bare];
  }
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not HOST:PORT:ADDRESS`, {
    hint: "write registry.example:443:192.0.2.7, or [2001:db8::7] for an IPv6 address",
  });
}

/** Reads a proxy's URL; `none` is none. Whether it can be used is told where it is. */
export function parseProxyOption(text: string): string | false {
  return text === "none" ? false : text;
}

/** Reads a version of TLS. */
export function parseTlsVersion(text: string): "TLSv1.2" | "TLSv1.3" {
  if (text === "1.2" || text === "1.3") return `TLSv${text}`;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is neither 1.2 nor 1.3`);
}

/** Reads `true` or `false`. */
export function parseBoolean(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is neither true nor false`);
}

/** Reads `NAME=VALUE`. */
export function parsePair(text: string): readonly [name: string, value: string] {
  const equals = text.indexOf("=");
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not NAME=VALUE`);
}

/** Reads `HOST=MIRROR[,MIRROR...]`. */
export function parseMirror(text: string): readonly [host: string, mirrors: readonly string[]] {
  const [host = "", mirrors = ""] = text.split(/=(.*)/s);
  const list = mirrors.split(",").filter(Boolean);
  if (host !== "" && list.length > 0 && !host.includes("/")) return [host.toLowerCase(), list];
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not HOST=MIRROR`, {
    hint: "write registry.example=mirror.example, or registry.example=mirror.example/hub",
  });
}

/** Reads `USER:PASSWORD`, given to the option of this name. */
export function login(name: string): (text: string) => Credential {
  return (text) => parseUserPassword(text, name);
}

/** Reads the name of a service. */
export function parseProvider(text: string): ProviderName {
  const name = providerNames.find((name) => name === text);
  if (name) return name;
  throw new RegistryError("INVALID", `there is no service ${JSON.stringify(text)}`, {
    hint: `write ${providerNames.join(", ")}; gantry ls --services tells of each`,
  });
}

/** Reads a token that requests carry as it is. */
export function parseToken(text: string): Credential {
  // What no header can carry would be an error deep below, with the token in it.
  if (/^[\x21-\x7e]+$/.test(text)) return { kind: "bearer", token: new Secret(text) };
  throw new RegistryError(
    "INVALID",
    text === "" ? "the token is empty" : "there are characters in it that no token has",
  );
}

/** Reads a platform; `local` is this machine's. */
export function parseOnePlatform(text: string): Platform {
  return text === "local" ? hostPlatform() : parsePlatform(text);
}

/** A host and a port to listen on. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads `HOST:PORT`, `:PORT` for every interface, or a port of this machine alone. */
export function parseAddress(text: string): Address {
  const [, host, port] = /^(?:(\[[0-9a-fA-F:.]+\]|[\w.-]*):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new RegistryError("INVALID", `${JSON.stringify(text)} is not HOST:PORT`, {
      hint: "write 127.0.0.1:5000, or :5000 for every interface",
    });
  }
  return { host: host === undefined ? "127.0.0.1" : host.replace(/[[\]]/g, "") || "0.0.0.0", port: Number(port) };
}

const kinds = ["oci", "oci-archive", "docker-archive", "dir"];

/** Reads a format of local files; Docker's own word for its archives is understood. */
export function parseKind(text: string): string {
  const kind = text === "tarball" || text === "docker" ? "docker-archive" : text;
  if (kinds.includes(kind)) return kind;
  throw new RegistryError("INVALID", `unknown format ${JSON.stringify(text)}`, { hint: `write ${kinds.join(", ")}` });
}

export type ProgressKind = "auto" | "plain" | "json" | "none";

export const progressKinds: readonly ProgressKind[] = ["auto", "plain", "json", "none"];

/** Reads a kind of progress. */
export function parseProgress(text: string): ProgressKind {
  const kind = progressKinds.find((kind) => kind === text);
  if (kind) return kind;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is no kind of progress`, {
    hint: `write ${progressKinds.join(", ")}`,
  });
}

/** Reads the name of a tool whose files are meant. */
export function parseCompat(text: string): "docker" | "podman" {
  if (text === "docker" || text === "podman") return text;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is neither docker nor podman`);
}
