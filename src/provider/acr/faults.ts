import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { messageIn, type ApiFault, type JsonAnswer } from "../json-api.ts";

const firewall =
  "the registry's firewall keeps this address out; no login helps: add it to its network rules, or come from inside";

/** What a registry's refusals mean, where they say something else or too little. */
export function registryFault({ status, body }: Pick<JsonAnswer, "status" | "body">): ApiFault | undefined {
  const said = messageIn(body) ?? "";
  if (isOfFirewall(said)) return { code: "DENIED", hint: firewall };
  if (status === 405)
    return {
      code: "DENIED",
      hint: "it is locked: unlock it with `gantry immutability`, or `az acr repository update`",
    };
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
  if (!isRegistryError(error, "UNAUTHORIZED") || !isOfFirewall(error.message)) return error;
  const { message, host, status, credential, cause } = error;
  return new RegistryError("DENIED", message, {
    ...(host !== undefined && { host }),
    ...(status !== undefined && { status }),
    credential,
    cause,
    hint: firewall,
  });
}
