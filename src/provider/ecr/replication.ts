import { RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { ReplicationRule } from "../service.ts";
import type { Ecr } from "./api.ts";

/** Where images of the registry are copied to: a row for each destination of each rule. */
export async function* replication(
  { sdk, ask, host, registry }: Ecr,
  call?: Call,
): AsyncGenerator<ReplicationRule, void> {
  const question = { what: `read the replication rules of ${host}`, action: "ecr:DescribeRegistry" };
  const { registryId, replicationConfiguration } = await ask(
    question,
    (options) => sdk.describeRegistry({}, options),
    call,
  );
  // The API has no parameter for the registry: it tells of the login's own.
  requireOwn(host, registry.registryId, registryId);
  for (const [index, { destinations = [], repositoryFilters = [] }] of (
    replicationConfiguration?.rules ?? []
  ).entries()) {
    const filter = repositoryFilters.map(({ filter = "" }) => `${plainText(filter)}*`).join(", ");
    for (const { region = "", registryId: account = "" } of destinations) {
      yield {
        name: `rule ${index + 1}`,
        to: plainText(account === registryId ? region : `${account} in ${region}`),
        ...(filter && { filter }),
        enabled: true,
        trigger: "push",
      };
    }
  }
}

function requireOwn(host: string, wanted: string | undefined, found: string | undefined): void {
  if (wanted === undefined || found === undefined || wanted === found) return;
  throw new RegistryError("DENIED", `the AWS login is of account ${plainText(found)}, and ${host} of ${wanted}`, {
    host,
    hint: `log in to AWS as a role of account ${wanted}`,
  });
}
