import type { Command } from "../command.ts";
import { networkOptions } from "../options.ts";
import { inUseOptions } from "./in-use-options.ts";
import { applyOptions } from "./plan-options.ts";

/** Commands on plans that were made by others. */
export const planCommands: readonly Command[] = [
  {
    name: "apply",
    group: "Plans",
    summary: "do what a saved plan says",
    details:
      "Each step is held against what is there first: what is done already is left, and what is not as the plan expects " +
      "is stale and left, too. Run again, it goes on where it was stopped.",
    arguments: [{ name: "plan", summary: "the plan's file, or - for stdin", completes: "file" }],
    options: [...applyOptions, ...inUseOptions, ...networkOptions],
    examples: [{ note: "what was planned before, and reviewed", line: "gantry apply plan.json --yes" }],
    endings: ["denied", "refused", "partly"],
    load: () => import("../commands/apply.ts"),
  },
];
