import type { Command } from "../command.ts";
import { networkOptions, sideOptions } from "../options.ts";
import { inUseOptions } from "./in-use-options.ts";
import { applyOptions, planOptions } from "./plan-options.ts";

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
    options: [...applyOptions, ...inUseOptions, ...networkOptions, ...sideOptions],
    examples: [
      { note: "show a plan that was made before", line: "gantry apply plan.json" },
      { note: "for a pull request", line: "gantry apply plan.json --format markdown > plan.md" },
      { note: "do it, but not if more than half would go", line: "gantry apply plan.json --yes --max-delete 50%" },
    ],
    endings: ["denied", "refused", "partly", "changes"],
    load: () => import("../commands/apply.ts"),
  },
  {
    name: "undo",
    group: "Plans",
    summary: "take back what a plan did",
    details:
      "Reads the journal of a plan that was applied and makes the plan that takes it back: deleted images come back with their " +
      "tags, moved tags move back, and what came to be goes again where it is still as it was put. A registry that has " +
      "cleaned up the layers of a deleted image cannot put it back, which the step then says. Undoing has a journal of its own.",
    arguments: [
      { name: "journal", summary: "the journal's file, as the plan's application told it", completes: "file" },
    ],
    options: [...planOptions, ...inUseOptions, ...networkOptions, ...sideOptions],
    examples: [
      { note: "what would be done", line: "gantry undo retain.jsonl" },
      { note: "take it back", line: "gantry undo retain.jsonl --yes" },
    ],
    endings: ["denied", "refused", "partly", "changes"],
    load: () => import("../commands/undo.ts"),
  },
];
