import { expiryOf } from "../../auth/claims.ts";
import type { Credential } from "../../auth/credential.ts";
import { isRegistryError } from "../../oci/error.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { Bench } from "../context.ts";
import { fault, fine, warning, type Step } from "../diagnosis.ts";
import { pathOf, type Place } from "../place.ts";

/** The login that commands would use, if any. */
export interface Chosen {
  readonly credential?: Credential;
}

/** Which login is chosen for a place, and where it comes from; never what it is. */
export async function checkCredential(place: Place, { credentials, clock, signal }: Bench): Promise<Step<Chosen>> {
  const { host } = place;
  const search = { host, command: `gantry auth ${place.reference ? "why" : "check"} ${place.name}` };
  try {
    const credential = await credentials.find(host, pathOf(place), signal);
    if (!credential) return { told: [fine("credential", "none: requests go out without a login", search)], known: {} };
    const from = credential.origin === undefined ? "" : `, from ${plainText(credential.origin)}`;
    const told = `${nameOf(credential)}${from}`;
    const expired = (expiryOf(credential) ?? Infinity) - clock.now();
    if (expired > 0) return { told: [fine("credential", told, { host })], known: { credential } };
    const ago = Math.ceil(-expired / 60_000);
    const more = {
      host,
      cause: `what is saved there is a token that expired ${ago < 120 ? `${ago} min` : `${Math.round(ago / 60)} h`} ago`,
      command: `gantry login ${place.registry}`,
    };
    return { told: [warning("credential", told, more)], known: { credential } };
  } catch (error) {
    if (signal.aborted || !isRegistryError(error)) throw error;
    const { code, message, hint } = error;
    return { told: [fault("credential", message, { code, ...search, ...(hint !== undefined && { cause: hint }) })] };
  }
}

/** A credential for people: the user, or what kind of token it is. */
export function nameOf(credential: Credential): string {
  if (credential.kind === "basic") return `the user ${JSON.stringify(plainText(credential.username))}`;
  return credential.kind === "identity" ? "an identity token" : "a token that is used as it is";
}

/** The user of a credential that has one. */
export function userOf(credential: Credential | undefined): string | undefined {
  return credential?.kind === "basic" ? credential.username : undefined;
}
