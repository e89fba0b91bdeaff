import { RegistryError } from "../oci/error.ts";
import { acr } from "./acr/provider.ts";
import { artifactRegistry } from "./artifact-registry/provider.ts";
import { dockerHub } from "./dockerhub/provider.ts";
import { ecrPublic } from "./ecr-public/provider.ts";
import { ecr } from "./ecr/provider.ts";
import { gantry } from "./gantry/provider.ts";
import { generic } from "./generic.ts";
import { ghcr } from "./ghcr/provider.ts";
import { gitlab } from "./gitlab/provider.ts";
import { harbor } from "./harbor/provider.ts";
import { providerNames, type Provider, type ProviderName } from "./provider.ts";
import { quay } from "./quay/provider.ts";

/** All services that are known, the plain registry last. */
export const providers: readonly Provider[] = [
  dockerHub,
  ecr,
  ecrPublic,
  artifactRegistry,
  acr,
  ghcr,
  gitlab,
  harbor,
  quay,
  gantry,
  generic,
];

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
