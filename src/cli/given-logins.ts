import {
  dockerConfigSource,
  helperLogins,
  parseUserPassword,
  RegistryError,
  userPassword,
  type Credential,
  type CredentialSource,
} from "../index.ts";
import type { Io } from "./io.ts";
import type { Get } from "./option.ts";
import * as options from "./options.ts";
import { needRegistry, type Sides, type Spot } from "./places.ts";
import { readSecret } from "./secrets.ts";

/** The logins that a command line gives, each for the places it was given for and no others. */
export async function givenLogins(
  get: Get,
  { from, to }: Sides,
  io: Io,
  signal?: AbortSignal,
): Promise<readonly CredentialSource[]> {
  return [
    ...login("--src-creds", get(options.srcCreds), from),
    ...login("--src-registry-token", get(options.srcRegistryToken), from),
    ...login("--dest-creds", get(options.destCreds), to),
    ...login("--dest-registry-token", get(options.destRegistryToken), to),
    ...login("--creds", await givenLogin(get, io, signal), [...from, ...to]),
    ...login("--registry-token", get(options.registryToken), [...from, ...to]),
    ...file("--src-authfile", get(options.srcAuthfile), from, io),
    ...file("--dest-authfile", get(options.destAuthfile), to, io),
  ];
}

/** The user and password of --creds, the password from stdin where it is to be read there. */
async function givenLogin(get: Get, io: Io, signal?: AbortSignal): Promise<Credential | undefined> {
  const creds = get(options.creds);
  if (!get(options.passwordStdin)) return creds === undefined ? undefined : parseUserPassword(creds, "--creds");
  if (creds === undefined || creds === "" || creds.includes(":"))
    throw new RegistryError("INVALID", "--password-stdin goes with --creds USER, without a password there");
  return userPassword(creds, await readSecret(io.stdin, signal));
}

function login(name: string, credential: Credential | undefined, spots: readonly Spot[]): CredentialSource[] {
  if (!credential) return [];
  needRegistry(name, spots);
  const given = { ...credential, origin: name };
  return [{ name, find: (host, path) => Promise.resolve(isAmong(spots, host, path) ? given : undefined) }];
}

/** A file of logins for one side. */
function file(name: string, path: string | undefined, spots: readonly Spot[], { env }: Io): CredentialSource[] {
  if (path === undefined) return [];
  needRegistry(name, spots);
  const source = dockerConfigSource(path, path, { helpers: helperLogins({ env }), required: true });
  const find: CredentialSource["find"] = async (host, repository, signal) =>
    isAmong(spots, host, repository) ? source.find(host, repository, signal) : undefined;
  return [{ name: `${name} ${path}`, find }];
}

function isAmong(spots: readonly Spot[], host: string, path: string): boolean {
  return spots.some((spot) => spot.host === host && (spot.path === "" || path === "" || spot.path === path));
}
