import { parsePlan } from "../../plan/index.ts";
import type { Run } from "../command.ts";
import { offerPlan } from "../plans.ts";
import { readLongDocument } from "../documents.ts";

/** The most bytes of a plan: that of a million steps. */
const longestPlan = 1 << 28;

export const run: Run<[string]> = async ([path], cli) =>
  offerPlan(parsePlan(await readLongDocument(path, cli.stdin, longestPlan)), cli);
