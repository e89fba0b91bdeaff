import { RegistryError, type Note, type Plan } from "../../index.ts";
import {
  asOf,
  planRetention,
  protection,
  sizeOverTime,
  type DialectPolicy,
  type RetentionPolicy,
  type RetentionState,
} from "../../policy/index.ts";
import { digestsInUse } from "../../plan/index.ts";
import type { Cli } from "../cli.ts";
import { nameOf } from "../documents.ts";
import type { Run } from "../command.ts";
import { imagesInUse } from "../in-use.ts";
import { leftOut, offerPlan } from "../plans.ts";
import { readInventories } from "../read-inventories.ts";
import { connectionOf, parseRepositories } from "../repositories-at.ts";
import { readRetention } from "../retention-policy.ts";
import { showSizes } from "../show-sizes.ts";
import { useCreated } from "../table/lifecycle-options.ts";
import { act, out, protect } from "../table/plan-options.ts";
import * as options from "../table/retain.ts";

export const run: Run<[places: readonly string[]]> = async (words, cli) => {
  const { get } = cli;
  const file = get(options.policy);
  if (file === undefined) {
    throw new RegistryError("INVALID", "no policy is named", { hint: "say which: --policy FILE" });
  }
  const then = get(options.asOf);
  if (then && (get(act) || get(out) !== undefined)) {
    throw new RegistryError("INVALID", "a plan as of another day is only shown", {
      hint: "leave --as-of out to act, or to save a plan",
    });
  }
  const policy = await readRetention(file, cli);
  const places = words[0].map((word) => parseRepositories(word));
  const client = await cli.client({ from: places.map(connectionOf) });
  const used = await imagesInUse(cli);
  const { inventories, unread } = await readInventories(places, client, cli, {
    created: needsCreated(policy, cli),
    also: (repository) => digestsInUse(repository, used),
  });
  const state: RetentionState = {
    inventories,
    inUse: used,
    protect: protection(get(protect)),
    useCreated: get(useCreated),
    allowEmpty: get(options.allowEmpty),
  };
  const now = new Date();
  const seen = then ? { ...state, inventories: inventories.map((of) => asOf(of, then, state)) } : state;
  const planned = planRetention(policy, seen, then ?? now);
  const notes = [...unread, ...planned.notes, ...(then ? [asOfNote(then)] : [])];
  const plan: Plan = { ...planned, from: nameOf(file), notes };
  const ending = await offerPlan(plan, cli, client);
  await showSizes(() => sizeOverTime(policy, state, now, then && { since: then }), cli);
  return unread.length > 0 ? "partly" : leftOut(plan, ending);
};

/** Whether it has to be known when images were built. */
function needsCreated(policy: RetentionPolicy | DialectPolicy, { get }: Cli): boolean {
  if (get(useCreated)) return true;
  if ("dialect" in policy) return false;
  const all = [policy, ...policy.rules, ...policy.rules.flatMap(({ keep }) => keep ?? [])];
  return all.some(({ by }) => by === "created");
}

const asOfNote = (then: Date): Note => ({
  level: "info",
  message: `as on ${then.toISOString().slice(0, 10)}, of what is there today: what was deleted since is not known`,
});
