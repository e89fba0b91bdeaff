import {
  hostPlatform,
  parsePlatform,
  parseUserPassword,
  RegistryError,
  type Credential,
  type Platform,
} from "../index.ts";

/** Reads a number of things: 1 or more. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not a whole number from 1 on`);
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

/** Reads a number of bytes: `800k`, `20MB`, `1.5GiB`. */
export function parseSize(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)\s*([kmg]i?)?b?(?:\/s)?$/i.exec(text.trim());
  const size = parts ? Math.round(Number(parts[1]) * units[(parts[2] ?? "").toLowerCase()]!) : 0;
  if (size > 0) return size;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not a number of bytes`, {
    hint: "write 800kB, 20MB or 1GiB",
  });
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

/** Reads `USER:PASSWORD`, given to the option of this name. */
export function login(name: string): (text: string) => Credential {
  return (text) => parseUserPassword(text, name);
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
