import { readRollback, RegistryError } from "../../index.ts";
import { planRollback } from "../../policy/index.ts";
import type { Run } from "../command.ts";
import { immutableTags } from "../immutable.ts";
import { offerPlan } from "../plans.ts";
import { endingOf, promotedPlace, promotionPolicy } from "../promotions.ts";
import * as promote from "../table/promote-options.ts";

export const run: Run<[place: string]> = async ([text], cli) => {
  const { tags, ...place } = await promotedPlace(text, cli);
  if (!tags) throw new RegistryError("INVALID", `${text} names no tag, and tags are what goes back`);
  const client = await cli.client({ from: [], to: [place.repository] });
  const to = cli.get(promote.backTo);
  const immutable = await immutableTags(cli);
  const request = {
    ...place,
    tags,
    ...(to !== undefined && { to }),
    only: cli.get(promote.only),
    ...(immutable && { immutable }),
  };
  const state = await readRollback(client, request, { signal: cli.signal });
  const plan = planRollback(promotionPolicy(cli, `rollback of ${text}`), state, new Date());
  return endingOf(plan, await offerPlan(plan, cli, client));
};
