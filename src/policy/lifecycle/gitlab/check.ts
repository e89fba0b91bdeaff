import type { FieldReader } from "../fields.ts";
import { re2Fault } from "../regex.ts";

/** What a cleanup policy may say (GitLab, ContainerExpirationPolicy). */
const cadences = ["1d", "7d", "14d", "1month", "3month"] as const;
export const keepCounts = [1, 5, 10, 25, 50, 100] as const;
export const ageDays = [7, 14, 30, 60, 90] as const;

const keys = [
  "enabled",
  "cadence",
  "keep_n",
  "older_than",
  "name_regex",
  "name_regex_delete",
  "name_regex_keep",
  "next_run_at",
] as const;

/** Notes what GitLab refuses in a project's `container_expiration_policy`. */
export function checkGitlab(document: unknown, reader: FieldReader): void {
  const policy = reader.object(document, "", keys);
  if (!policy) return;
  if (Object.keys(policy).length === 0) reader.fault("", "says nothing: what it leaves out stays as it was");
  if (policy["enabled"] !== undefined) reader.flag(policy["enabled"], "enabled");
  if (policy["cadence"] !== undefined) reader.choice(policy["cadence"], "cadence", cadences);
  const { keep_n: keep, older_than: age } = policy;
  if (keep !== undefined && keep !== null) reader.choice(keep, "keep_n", keepCounts);
  if (age !== undefined && age !== null) {
    reader.choice(
      age,
      "older_than",
      ageDays.map((days) => `${days}d`),
    );
  }
  for (const key of ["name_regex", "name_regex_delete", "name_regex_keep"] as const) {
    const value = policy[key];
    const text = value === undefined || value === null ? undefined : reader.text(value, key);
    const fault = text === undefined ? undefined : re2Fault(text);
    if (fault !== undefined) reader.fault(key, fault);
  }
}
