import type { FieldReader } from "../fields.ts";

/** Days that a policy may say (Microsoft.ContainerRegistry, RetentionPolicy). */
export const mostDays = 365;

/** Notes what the API refuses in a registry's `retentionPolicy`. */
export function checkAcr(document: unknown, reader: FieldReader): void {
  const policy = reader.object(document, "", ["days", "status", "lastUpdatedTime"]);
  if (!policy) return;
  reader.integer(policy["days"], "days", 0, mostDays);
  if (policy["status"] !== undefined) reader.choice(policy["status"], "status", ["enabled", "disabled"]);
}
