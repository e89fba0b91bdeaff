import { parsePlan } from "../../plan/index.ts";
import type { Run } from "../command.ts";
import { leftOut, offerPlan } from "../plans.ts";
import { readLongDocument } from "../documents.ts";

/** The most bytes of a plan: that of a million steps. */
const longestPlan = 1 << 28;

export const run: Run<[string]> = async ([path], cli) => {
  const plan = parsePlan(await readLongDocument(path, cli.stdin, longestPlan));
  return leftOut(plan, await offerPlan(plan, cli));
};
