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
import { longName, type Get, type Option } from "./option.ts";
import * as options from "./options.ts";
import type { Sides, Spot } from "./places.ts";
import { readSecret } from "./secrets.ts";

/** The logins that a command line gives, each for the places it was given for and no others. */
export async function givenLogins(
  get: Get,
  { from, to }: Sides,
  io: Io,
  signal?: AbortSignal,
): Promise<readonly CredentialSource[]> {
  checkSides(get, { from, to });
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

const ofSource: readonly Option[] = [options.srcCreds, options.srcRegistryToken, options.srcAuthfile];
const ofDestination: readonly Option[] = [options.destCreds, options.destRegistryToken, options.destAuthfile];
const ofBoth: readonly Option[] = [options.creds, options.registryToken];

/**
 * A login for a side without a registry goes nowhere. It was meant for the other side where that has a registry and got none:
 * what is done there would be done as somebody else.
 */
function checkSides(get: Get, { from, to }: Sides): void {
  const isGiven = (option: Option): boolean => get(option) !== undefined;
  const check = (own: readonly Option[], here: Sides["from"], other: readonly Option[], there: Sides["to"]): void => {
    const at = own.findIndex(isGiven);
    if (at < 0 || here.length > 0 || there.length === 0 || [...other, ...ofBoth].some(isGiven)) return;
    const [name, otherName] = [own, other].map((some) => `--${longName(some[at]!.flags)}`);
    throw new RegistryError("INVALID", `${name} is for a registry, and there is none on that side`, {
      hint: `for the other side, write ${otherName}`,
    });
  };
  check(ofSource, from, ofDestination, to);
  check(ofDestination, to, ofSource, from);
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
  const given = { ...credential, origin: name };
  return [{ name, find: (host, path) => Promise.resolve(isAmong(spots, host, path) ? given : undefined) }];
}

/** A file of logins for one side. */
function file(name: string, path: string | undefined, spots: readonly Spot[], { env }: Io): CredentialSource[] {
  if (path === undefined) return [];
  const source = dockerConfigSource(path, path, { helpers: helperLogins({ env }), required: true });
  const find: CredentialSource["find"] = async (host, repository, signal) =>
    isAmong(spots, host, repository) ? source.find(host, repository, signal) : undefined;
  return [{ name: `${name} ${path}`, find }];
}

function isAmong(spots: readonly Spot[], host: string, path: string): boolean {
  return spots.some((spot) => spot.host === host && (spot.path === "" || path === "" || spot.path === path));
}
