import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { dockerConfigSource } from "../auth/docker-config-source.ts";
import { isObject } from "../oci/descriptor.ts";
import { isRegistryError } from "../oci/error.ts";
import { maskUserinfo } from "../oci/userinfo.ts";
import { fault, fine, warning, type Diagnosis } from "./diagnosis.ts";
import { formatProxy, routeTo } from "./route.ts";

export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of Node.js. */
  readonly version: string;
  /** Files with logins in Docker's format, the first asked first. */
  readonly logins: readonly string[];
  /** Files that settings of hosts come from. */
  readonly settings: readonly string[];
  /** What reads those, and throws INVALID where they are not right. */
  readonly checks: readonly (() => unknown)[];
}

/** The lines of Node that are supported, each from this version on; the last for all that follow. */
export const supportedNode: readonly (readonly [number, number, number])[] = [
  [22, 22, 2],
  [24, 15, 0],
  [26, 0, 0],
];

/** Looks at this machine's side alone: the program it runs on, proxies, and the files that logins and settings come from. */
export async function* examine(machine: Machine): AsyncGenerator<Diagnosis, void> {
  yield checkNode(machine.version);
  yield* checkProxies(machine.env);
  for (const file of machine.logins) yield* await checkLogins(file, machine.env["PATH"] ?? "");
  for (const file of machine.settings) {
    const found = await access(file, constants.R_OK).then(
      () => fine("files", `${file} is there: settings of hosts`),
      (error: NodeJS.ErrnoException) => (isMissing(error) ? undefined : unreadable(file, error)),
    );
    if (found) yield found;
  }
  for (const check of machine.checks) yield* wrongIn(check);
}

function* wrongIn(check: () => unknown): Generator<Diagnosis> {
  try {
    check();
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    const { code, message, hint } = error;
    yield fault("files", message, { code, ...(hint !== undefined && { cause: hint }) });
  }
}

function checkNode(version: string): Diagnosis {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const line = supportedNode.findLast(([from]) => major >= from);
  const isLast = line === supportedNode.at(-1);
  const fits =
    line !== undefined &&
    (isLast || major === line[0]) &&
    (major > line[0] || minor > line[1] || (minor === line[1] && patch >= line[2]));
  if (fits) return fine("machine", `Node.js ${version}`);
  const wanted = supportedNode.map((parts) => parts.join(".")).join(", ");
  return warning("machine", `Node.js ${version} is not supported`, {
    cause: `Gantry is made for ${wanted} and what follows these`,
    command: "npm install",
  });
}

function* checkProxies(env: Machine["env"]): Generator<Diagnosis> {
  let any = false;
  for (const scheme of ["https", "http"]) {
    const [lower, upper] = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`];
    const route = routeTo(new URL(`${scheme}://registry.invalid/`), () => ({}), { ...env, no_proxy: "", NO_PROXY: "" });
    if (route.kind === "direct") continue;
    any = true;
    if (route.kind === "broken") {
      const cause = "a proxy is written http://HOST:PORT or https://HOST:PORT";
      yield fault("proxy", `${route.from} is not the URL of a proxy: ${JSON.stringify(maskUserinfo(route.text))}`, {
        code: "INVALID",
        cause,
        command: `echo $${route.from}`,
      });
    } else yield fine("proxy", `${route.from}: ${scheme} goes through ${formatProxy(route.url)}`);
    if (env[lower] && env[upper] && env[lower] !== env[upper])
      yield warning("proxy", `${lower} and ${upper} differ`, {
        cause: "the lower-case one counts here, the other elsewhere",
      });
  }
  if (!any) yield fine("proxy", "none is set");
}

async function checkLogins(file: string, path: string): Promise<readonly Diagnosis[]> {
  const source = dockerConfigSource(file);
  try {
    const mode = (await stat(file)).mode;
    await source.find("registry.invalid", "");
    const text = (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
    const config = (text.trim() === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    const auths = isObject(config["auths"]) ? Object.entries(config["auths"]) : [];
    for (const [key] of auths) await source.find(...hostAndPath(key));
    const logins = auths.filter(([, entry]) => isObject(entry) && Object.keys(entry).length > 0).length;
    return [
      fine("files", `${file}: ${logins} ${logins === 1 ? "login" : "logins"}`),
      ...(logins > 0 && (mode & 0o077) !== 0 ? [exposed(file, mode)] : []),
      ...(await missingHelpers(config, file, path)),
    ];
  } catch (error) {
    if (isRegistryError(error))
      return [
        fault("files", error.message, { code: error.code, ...(error.hint !== undefined && { cause: error.hint }) }),
      ];
    if (isMissing(error)) return [fine("files", `${file} is not there`)];
    return [unreadable(file, error)];
  }
}

function hostAndPath(key: string): readonly [host: string, path: string] {
  const [host = "", ...path] = key
    .replace(/^https?:\/\//i, "")
    .replace(/\/+$/, "")
    .split("/");
  return [host.toLowerCase(), /^v[12]$/.test(path.join("/")) ? "" : path.join("/")];
}

function exposed(file: string, mode: number): Diagnosis {
  return warning("files", `${file} may be read by others (mode ${(mode & 0o777).toString(8)})`, {
    cause: "its passwords are only encoded, not encrypted",
    command: `chmod 600 ${quoted(file)}`,
  });
}

/** The programs that a file names for logins and that no folder of PATH has. */
async function missingHelpers(
  config: Record<string, unknown>,
  file: string,
  path: string,
): Promise<readonly Diagnosis[]> {
  const { credHelpers, credsStore } = config;
  const named: [string, unknown][] = [
    ["all hosts", credsStore],
    ...(isObject(credHelpers) ? Object.entries(credHelpers) : []),
  ];
  const wanted = named.filter((pair): pair is [string, string] => typeof pair[1] === "string" && pair[1] !== "");
  const found = await Promise.all(wanted.map(([, helper]) => isInPath(`docker-credential-${helper}`, path)));
  return wanted
    .filter((_, i) => !found[i])
    .map(([host, helper]) =>
      fault("files", `docker-credential-${helper}, which ${file} names for ${host}, is not in PATH`, {
        code: "INVALID",
        cause: "it was removed, is installed for another user, or the file comes from another machine",
        command: `command -v docker-credential-${helper}`,
      }),
    );
}

async function isInPath(program: string, path: string): Promise<boolean> {
  const tries = path
    .split(delimiter)
    .filter(Boolean)
    .map((folder) =>
      access(join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    );
  return (await Promise.all(tries)).includes(true);
}

function unreadable(file: string, error: unknown): Diagnosis {
  return fault("files", `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown cause"})`, {
    code: "INVALID",
    cause: "it belongs to another user, or is no file",
    command: `ls -l ${quoted(file)}`,
  });
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
