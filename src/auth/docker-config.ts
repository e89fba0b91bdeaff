import { readFile } from "node:fs/promises";
import { isObject } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import { hostAliases } from "../oci/reference.ts";
import { userPassword, type Credential, type CredentialSource } from "./credential.ts";
import { Secret } from "./secret.ts";

/**
 * The `auths` of Docker's config.json or Podman's auth.json, read anew each time it is asked. Of the keys that fit a
 * repository (`host/path`, `host`, `https://host/v1/`) the longest wins. No file is no credential; one that is not
 * right throws INVALID with the place in it. Helpers are not run.
 */
export function dockerConfigSource(file: string, name: string = file): CredentialSource {
  return {
    name,
    async find(host, path, signal) {
      const text = await readText(file, signal);
      if (text === undefined) return undefined;
      const auths = readAuths(text, file);
      for (const key of keysFor(host, path)) {
        const [written, entry] = auths.get(key) ?? [];
        const credential = entry && readEntry(entry, `${file}: auths[${JSON.stringify(written)}]`);
        if (credential) return credential;
      }
      return undefined;
    },
  };
}

async function readText(file: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return await readFile(file, { encoding: "utf8", ...(signal && { signal }) });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (signal?.aborted) throw new RegistryError("ABORTED", "interrupted", { cause: signal.reason });
    throw new RegistryError("INVALID", `${file} cannot be read (${code})`, { cause: error });
  }
}

type Entry = Record<string, unknown>;

/** The entries by `host[:port][/path]`, each with the key as it is written. */
function readAuths(text: string, file: string): ReadonlyMap<string, readonly [string, Entry]> {
  const config = parseJson(text, file);
  const { auths } = isObject(config) ? config : invalid(`${file} is not a JSON object`);
  if (auths === undefined || auths === null) return new Map();
  if (!isObject(auths)) return invalid(`${file}: auths is not an object`);
  const entries = new Map<string, readonly [string, Entry]>();
  for (const [key, entry] of Object.entries(auths)) {
    if (!isObject(entry)) return invalid(`${file}: auths[${JSON.stringify(key)}] is not an object`);
    const bare = key.replace(/^https?:\/\//i, "").replace(/\/+$/, "");
    const [host = "", ...path] = bare.split("/");
    const at = [host.toLowerCase(), ...(/^v[12]$/.test(path.join("/")) ? [] : path)].join("/");
    if (!entries.has(at) || key === bare) entries.set(at, [key, entry]);
  }
  return entries;
}

/** JSON.parse's message quotes the text, which is secret; only its position is told. */
function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    const before = text.slice(0, position === undefined ? text.length : Number(position)).split("\n");
    return invalid(`${file} is not valid JSON: line ${before.length}, column ${before.at(-1)!.length + 1}`);
  }
}

/** The keys that fit, the longest first. */
function keysFor(host: string, path: string): readonly string[] {
  const parts = path === "" ? [] : path.split("/");
  const hosts = hostAliases(host.toLowerCase());
  const lengths = [...parts.keys(), parts.length];
  return lengths.toReversed().flatMap((length) => hosts.map((name) => [name, ...parts.slice(0, length)].join("/")));
}

function readEntry(entry: Entry, at: string): Credential | undefined {
  const text = (field: string): string => {
    const value = entry[field] ?? "";
    return typeof value === "string" ? value : invalid(`${at}.${field} is not a text`);
  };
  if (text("registrytoken") !== "") return { kind: "bearer", token: new Secret(text("registrytoken")) };
  if (text("identitytoken") !== "") return { kind: "identity", token: new Secret(text("identitytoken")) };
  if (text("auth") !== "") return readAuth(text("auth"), at);
  return text("username") === "" ? undefined : userPassword(text("username"), text("password"));
}

/** `auth` is `user:password` in base64, in some files followed by NULs. */
function readAuth(auth: string, at: string): Credential {
  const decoded = /^[A-Za-z0-9+/_=\s-]*$/.test(auth) ? Buffer.from(auth, "base64").toString("utf8") : "";
  const colon = decoded.indexOf(":");
  if (colon < 1) return invalid(`${at}.auth is not USER:PASSWORD in base64`);
  return userPassword(decoded.slice(0, colon), decoded.slice(colon + 1).replace(/\0+$/, ""));
}

function invalid(message: string): never {
  throw new RegistryError("INVALID", message, { hint: "mend the file, or log in again" });
}
