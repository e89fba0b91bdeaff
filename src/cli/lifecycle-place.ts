import { lifecycleDialects, type LifecycleDialect, type LifecyclePolicy } from "../index.ts";
import type { Cli } from "./cli.ts";
import { safeJson } from "./render/text.ts";
import type { ServedRepository } from "./service-place.ts";

/** The dialect that a service has its policies in: each has one of its own name. Undefined for those that have none. */
export function dialectAt({ service }: ServedRepository): LifecycleDialect | undefined {
  return lifecycleDialects.find((dialect) => dialect === service.provider.name);
}

/** The policy that is set, or undefined with a word about it on stderr. */
export async function policyAt(
  { service, repository, name }: ServedRepository,
  { signal, reporter }: Cli,
): Promise<LifecyclePolicy | undefined> {
  const policy = await service.lifecycle(repository, { signal });
  if (!policy) reporter.say(`${name} has no lifecycle policy: its service deletes nothing by itself`);
  return policy;
}

/** Whose form a policy has, and what else it holds for. */
export function policyWords({ dialect, scope }: Omit<LifecyclePolicy, "document">): string {
  return `of ${dialect}${scope === undefined ? "" : `, for ${scope}`}`;
}

/** A document as people read it, which is as programs do. */
export const documentText = (document: unknown): string => `${safeJson(document, 2)}\n`;
