// The public surface of "gantry/plan", written by hand: plans as data, and the documents that they are made from.
export { checked, faultyDocument, type Document } from "../document/document.ts";
export { formatPath, type Fault } from "../document/fault.ts";
export { parseJson } from "../document/json.ts";
export { parseYaml } from "../document/yaml.ts";
export type { Gap, Held, Inventory } from "../graph/inventory.ts";
export { needed, subjectOfTag, type Need, type Root } from "../graph/needed.ts";
export { freedBy } from "../graph/usage.ts";
export type { Ending } from "./act.ts";
export type { Before, SavedManifest, TagRules } from "./before.ts";
export {
  applyPlan,
  checkDeletions,
  type Applied,
  type ApplyOptions,
  type Guards,
  type Journal,
  type PlanEvent,
} from "./apply.ts";
export type { Hands, Spot } from "./hands.ts";
export { digestsInUse, rootsInUse, type InUse } from "./in-use.ts";
export {
  isDeletion,
  planKinds,
  type AttachDocument,
  type CopyImage,
  type CreateRepository,
  type DeleteManifest,
  type DeleteRepository,
  type DeleteTag,
  type Kept,
  type Note,
  type Plan,
  type PlanKind,
  type Planner,
  type RestoreManifest,
  type SetImmutability,
  type SetTag,
  type Step,
} from "./plan.ts";
export { recheckDeletions, type RecheckOptions, type Verdict } from "./recheck.ts";
export { digestOfPlan, formatPlan, parsePlan, planSchema } from "./schema.ts";
export { readBegunJournal, readJournal, withJournal, type JournalFile, type JournalOptions } from "./journal.ts";
export { type JournalHeader, type JournalLine, type JournalRecord, type Try } from "./journal-lines.ts";
export { planUndo } from "./undo.ts";
export { planMarkdown, type MarkdownOptions } from "./render/markdown.ts";
export { summary as planSummary } from "./render/summary.ts";
export { appliedTable, noteLines, planTable, type TableOptions } from "./render/table.ts";
export { planTree } from "./render/tree.ts";
