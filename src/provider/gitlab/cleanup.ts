import { isObject } from "../../oci/descriptor.ts";
import type { Call } from "../../store/store.ts";
import type { LifecyclePolicy } from "../service.ts";
import type { GitLab } from "./api.ts";
import type { Place } from "./projects.ts";

/** The cleanup policy of a project, be it switched on or off, after `changes` where there are any ("Projects API"). */
export async function cleanupPolicy(
  api: GitLab,
  { project, path }: Place,
  changes?: object,
  call?: Call,
): Promise<LifecyclePolicy> {
  const rest = await api.rest(call);
  const { body } = await rest.send(changes ? "PUT" : "GET", `/projects/${project}`, {
    what: `${changes ? "change" : "read"} the cleanup policy of ${path}`,
    ...(changes && { body: { container_expiration_policy_attributes: changes } }),
    ...call,
  });
  const policy = isObject(body) ? body["container_expiration_policy"] : undefined;
  const { next_run_at: _next, ...document } = isObject(policy) ? policy : {};
  return { dialect: "gitlab", document, scope: `project ${path}` };
}

/** Whether a policy deletes anything. */
export function isOn({ document }: LifecyclePolicy): boolean {
  return isObject(document) && document["enabled"] === true;
}
