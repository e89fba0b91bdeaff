import { RegistryError } from "../../index.ts";
import { parseJson, parsePlan } from "../../plan/index.ts";
import type { Run } from "../command.ts";
import { leftOut, offerPlan } from "../plans.ts";
import { nameOf, readText } from "../documents.ts";

/** The most bytes of a plan: that of a million steps. */
const longestPlan = 1 << 28;

export const run: Run<[string]> = async ([path], cli) => {
  const name = nameOf(path);
  const text = await readText(path, name, cli.stdin, longestPlan);
  if (text.startsWith('{"line":')) {
    const hint = `to take back what it tells: gantry undo ${path}`;
    throw new RegistryError("INVALID", `${name} is a journal, and no plan`, { hint });
  }
  const plan = parsePlan(parseJson(text, name));
  return leftOut(plan, await offerPlan(plan, cli));
};
