import { RegistryError } from "../oci/error.ts";
import { generic } from "./generic.ts";
import { harbor } from "./harbor/provider.ts";
import { providerNames, type Provider, type ProviderName } from "./provider.ts";

/** All services that are known, the plain registry last. */
export const providers: readonly Provider[] = [harbor, generic];

/** The provider of a name, as `--provider` has it; throws INVALID with those that there are. */
export function providerNamed(name: string): Provider {
  const found = providers.find((provider) => provider.name === name);
  if (found) return found;
  throw new RegistryError("INVALID", `there is no provider ${JSON.stringify(name)}`, {
    hint: `one of ${providerNames.join(", ")}`,
  });
}

/** The provider whose own host (`name[:port]`) this is. */
export function providerOf(host: string): Provider | undefined {
  return providers.find((provider) => provider.matches(host));
}

export function isProviderName(name: string): name is ProviderName {
  return (providerNames as readonly string[]).includes(name);
}
