import { protocolService } from "../protocol.ts";
import type { Provider, ServiceContext } from "../provider.ts";
import type { ServiceRegistry } from "../service.ts";
import { openHarbor } from "./api.ts";
import { harborFindings } from "./findings.ts";
import { deletions, harborImages } from "./images.ts";
import { harborImmutability } from "./immutability.ts";
import { harborQuotas } from "./quotas.ts";
import { harborReplication } from "./replication.ts";
import { harborRepositories } from "./repositories.ts";
import { harborRetention } from "./retention.ts";

/** A Harbor: what the distribution API lacks by Harbor's own API (goharbor/harbor, api/v2.0/swagger.yaml). */
export function harborService(
  provider: Pick<Provider, "title" | "abilities">,
  context: ServiceContext,
): ServiceRegistry {
  const open = openHarbor(context);
  return {
    ...protocolService(provider, context),
    ...harborRepositories(context, open),
    ...harborImages(open),
    ...harborImmutability(context, open),
    ...harborRetention(context, open),
    repository: (name) => ({ ...context.registry.repository(name), ...deletions(open, name) }),
    findings: (repository, ref, call) => harborFindings(open, repository, ref, call),
    replication: (call) => harborReplication(open, call),
    allowances: (call) => harborQuotas(open, call),
  };
}
