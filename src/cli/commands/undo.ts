import { planUndo, readJournal } from "../../plan/index.ts";
import type { Run } from "../command.ts";
import { offerPlan } from "../plans.ts";

export const run: Run<[string]> = async ([path], cli) =>
  offerPlan(planUndo(await readJournal(path, { signal: cli.signal }), path, new Date()), cli);
