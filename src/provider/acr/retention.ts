import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { requireDocument } from "../../policy/lifecycle/check.ts";
import type { Call } from "../../store/store.ts";
import type { LifecyclePolicy, ServiceRegistry } from "../service.ts";
import type { Management, RegistryResource } from "./management.ts";

type Retention = Pick<ServiceRegistry, "lifecycle" | "setLifecycle" | "deleteLifecycle">;

/**
 * The retention policy of a registry, `{"days": 7, "status": "enabled"}`: it deletes manifests that have had no tag for so
 * many days, in all repositories alike. For registries of the tier Premium.
 */
export function retentionOf(management: Management, host: string): Retention {
  const send = (policy: Readonly<Record<string, unknown>>, call?: Call): Promise<void> =>
    management.change({ policies: { retentionPolicy: policy } }, `set the retention policy of ${host}`, call);
  return {
    lifecycle: async (_repository, call) => policyOf(await management.read(call)),
    async setLifecycle(_repository, document, call) {
      requireDocument("acr", document);
      const { sku } = await management.read(call);
      if (sku !== "" && sku !== "Premium") {
        throw new RegistryError(
          "UNSUPPORTED",
          `${host} is of the tier ${sku}, and only Premium registries delete by a policy`,
          {
            host,
            hint: `raise it: \`az acr update --sku Premium\`; or run \`acr purge\` as a task`,
          },
        );
      }
      await send({ status: "enabled", ...(document as object) }, call);
      return policyOf(await management.read(call)) ?? { dialect: "acr", document };
    },
    async deleteLifecycle(_repository, call) {
      if (policyOf(await management.read(call))) await send({ status: "disabled" }, call);
    },
  };
}

function policyOf({ name, properties }: RegistryResource): LifecyclePolicy | undefined {
  const policies = isObject(properties["policies"]) ? properties["policies"] : {};
  const policy = policies["retentionPolicy"];
  if (!isObject(policy) || policy["status"] !== "enabled") return undefined;
  return { dialect: "acr", document: { days: policy["days"], status: "enabled" }, scope: `registry ${name}` };
}
