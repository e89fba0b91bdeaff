import { RegistryError } from "../oci/error.ts";
import { userPassword, type Credential, type CredentialSource } from "./credential.ts";

/** One credential that was given by hand, for one host (`name[:port]`) or for all. */
export function fixedSource(name: string, credential: Credential, host?: string): CredentialSource {
  const found = credential.origin === undefined ? { ...credential, origin: name } : credential;
  return { name, find: (asked) => Promise.resolve(host === undefined || host === asked ? found : undefined) };
}

/** Reads `USER:PASSWORD`, given as `name`; the password may have colons. Throws INVALID without repeating the text. */
export function parseUserPassword(text: string, name: string): Credential {
  const colon = text.indexOf(":");
  if (colon < 1) {
    throw new RegistryError("INVALID", `${name}: ${colon === 0 ? "no user before the colon" : "no colon"}`, {
      hint: `write ${name} USER:PASSWORD`,
    });
  }
  return { ...userPassword(text.slice(0, colon), text.slice(colon + 1)), origin: name };
}
