import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { messageIn } from "../api-error.ts";
import type { ApiFault, JsonAnswer } from "../json-api.ts";

const firewall =
  "the registry's firewall keeps this address out; no login helps: add it to its network rules, or come from inside";

const locked = "it is locked: unlock it with `gantry immutability`, or `az acr repository update`";

/** What a registry's refusals mean, where they say something else or too little. */
export function registryFault({ status, body }: Pick<JsonAnswer, "status" | "body">): ApiFault | undefined {
  const said = messageIn(body) ?? "";
  if (isOfFirewall(said)) return { code: "DENIED", hint: firewall };
  if (status === 405) return { code: "DENIED", hint: locked };
  if (status === 401)
    return {
      hint: "log in with `az acr login`; the login needs the right for this repository, and the registry's admin user may be switched off",
    };
  if (status === 403)
    return { hint: "the login lacks the right for this: see the roles and scope maps of the registry" };
  return undefined;
}

function isOfFirewall(text: string): boolean {
  return /client with IP .* is not allowed access|aka\.ms\/acr\/firewall/i.test(text);
}

/** An error from before the request itself, a token's, in the registry's own sense. */
export function explained(error: unknown): unknown {
  const isFirewall = isRegistryError(error, "UNAUTHORIZED") && isOfFirewall(error.message);
  return isFirewall ? denied(error, firewall) : error;
}

/** Throws what a delete by the distribution API failed with: 405 is a lock, not something that the registry cannot do. */
export function rethrowLocked(error: unknown): never {
  throw isRegistryError(error) && error.status === 405 ? denied(error, locked) : error;
}

function denied(error: RegistryError, hint: string): RegistryError {
  const { message, host, status, credential, cause } = error;
  return new RegistryError("DENIED", message, {
    ...(host !== undefined && { host }),
    ...(status !== undefined && { status }),
    credential,
    cause,
    hint,
  });
}
