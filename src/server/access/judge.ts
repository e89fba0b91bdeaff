import type { Action, Verdict } from "../access.ts";
import type { Origin } from "./origin.ts";
import type { Policy } from "./policy.ts";
import { challenge, denied } from "./refusals.ts";
import { covers, type Rights } from "./scope.ts";

/** Somebody whose credentials were right; without a user, the anonymous, with a token for them. */
export interface Caller {
  readonly user?: string;
  /** What their token is good for, where they came by one. */
  readonly rights?: Rights;
}

/**
 * Judges by policy and by what the token is good for. A user whom the policy refuses is told so for good (403); who
 * may get further by logging in or by another token gets a challenge (401).
 */
export function judge(policy: Policy, origin: Origin, action: Action, { user, rights }: Caller): Verdict {
  const { may, seesCatalog, seesAll } = policy;
  const { repository, verbs } = action;
  if (verbs.length === 0 && !seesCatalog(user)) return challenge(origin, action, "authentication required");
  for (const verb of verbs) {
    const allowed =
      verb === "catalog" ? seesCatalog(user) : repository !== undefined && may(user, repository).includes(verb);
    if (!allowed && user !== undefined) return denied(user, verb, action);
    if (!allowed || (rights && !covers(rights, repository, verb))) {
      return challenge(origin, action, "authentication required", "insufficient_scope");
    }
  }
  const sees = !seesAll && verbs.includes("catalog") && { sees: (name: string) => may(user, name).includes("pull") };
  return { allow: true, ...(user !== undefined && { user }), ...sees };
}
