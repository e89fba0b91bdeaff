import type { Environment } from "../../auth/credential.ts";
import { RegistryError } from "../../oci/error.ts";

/** A service of AWS, as the variables for endpoints name it. */
export type AwsService = "ECR" | "ECR_PUBLIC" | "STS";

/** Where a client of the SDK sends its requests. */
export interface EndpointSettings {
  readonly endpoint?: string;
  readonly ignoreConfiguredEndpointUrls?: boolean;
}

/**
 * The endpoint that the user names for a service: in our configuration, else in AWS_ENDPOINT_URL_<SERVICE>, else in
 * AWS_ENDPOINT_URL. Without any, the SDK takes what the profile says (which it reads from the process's own home
 * directory: it can be given no other), else the usual one of the region. Throws INVALID for what is no web address.
 */
export function endpointOf(service: AwsService, env: Environment, configured?: string): EndpointSettings {
  if (configured !== undefined) return { endpoint: checked(configured, "api in the configuration") };
  if (env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() === "true")
    return { ignoreConfiguredEndpointUrls: true };
  for (const name of [`AWS_ENDPOINT_URL_${service}`, "AWS_ENDPOINT_URL"]) {
    if (env[name]) return { endpoint: checked(env[name], name) };
  }
  return {};
}

function checked(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return url.href;
  throw new RegistryError("INVALID", `${where} is no web address without a login in it`, {
    hint: "write it as https://HOST",
  });
}
