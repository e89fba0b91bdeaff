// The public surface of "gantry/plan", written by hand: plans as data, and the documents that they are made from.
export { checked, faultyDocument, type Document } from "../document/document.ts";
export { formatPath, type Fault } from "../document/fault.ts";
export { parseYaml } from "../document/yaml.ts";
export type { Gap, Held, Inventory } from "../graph/inventory.ts";
export { needed, subjectOfTag, type Need, type Root } from "../graph/needed.ts";
export type { Ending } from "./act.ts";
export { applyPlan, checkDeletions, type Applied, type ApplyOptions, type Journal, type PlanEvent } from "./apply.ts";
export type { Hands, Spot } from "./hands.ts";
export { rootsInUse, type InUse } from "./in-use.ts";
export {
  isDeletion,
  planKinds,
  type AttachDocument,
  type CopyImage,
  type CreateRepository,
  type DeleteManifest,
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
export { recheckDeletions, type Verdict } from "./recheck.ts";
export { formatPlan, parsePlan, planSchema } from "./schema.ts";
