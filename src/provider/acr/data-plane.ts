import { RegistryError } from "../../oci/error.ts";
import { apiHost, isRepository } from "../../oci/reference.ts";
import type { Transport } from "../../transport/transport.ts";
import { jsonApi, type JsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import { explained, registryFault } from "./faults.ts";

/** What may be done to a repository: the actions that the registry's tokens name. */
export type Action = "delete" | "metadata_read" | "metadata_write";

/**
 * The registry's own API, spoken with the registry's login and a token for these actions on this repository alone: a
 * registry whose roles are by repository takes no wider one. Throws NAME_INVALID for what is no repository.
 */
export function repositoryApi(context: ServiceContext, repository: string, ...actions: readonly Action[]): JsonApi {
  const { host, authenticated, isInsecure } = context;
  if (!isRepository(repository)) {
    throw new RegistryError("NAME_INVALID", `${JSON.stringify(repository)} is no name of a repository`, { host });
  }
  const scopes = `repository:${repository}:${actions.join(",")}`;
  const transport: Transport = async (request) => {
    try {
      return await authenticated({ ...request, anonymous: false, scopes });
    } catch (error) {
      throw explained(error);
    }
  };
  return jsonApi({
    transport,
    base: new URL(`https://${apiHost(host)}`),
    title: host,
    isInsecure,
    error: registryFault,
  });
}
