// The public surface of "gantry/policy", written by hand: pure functions from policy, state and time to plans.
export { fitsOne, parsePattern, type Pattern } from "./pattern.ts";
export { checkTags } from "./tags/check-tags.ts";
export { ciContext, withGithubEvent, type CiContext } from "./tags/ci.ts";
export type { BuildContext } from "./tags/context.ts";
export { defaultRules, environmentRule } from "./tags/default-rules.ts";
export { severities, tagRules, type TagFinding, type TagSeverity } from "./tags/finding.ts";
export { parseFlavor, type Flavor } from "./tags/flavor.ts";
export { immutableBy } from "./tags/immutable.ts";
export {
  movesOfReceipts,
  noHistory,
  parseTagHistory,
  recordTags,
  withMoves,
  type TagHistory,
  type TagMove,
} from "./tags/history.ts";
export { movesOfJournal } from "./tags/journal-moves.ts";
export { makeTags, type MadeTag, type MadeTags } from "./tags/make.ts";
export { planFixes } from "./tags/plan-fixes.ts";
export { planImmutability, type ImmutabilityState, type ImmutableForm } from "./tags/plan-immutability.ts";
export { planTags, type TaggedState, type TagPolicy } from "./tags/plan-tags.ts";
export { parseRulesFile, type RulesFile } from "./tags/rules-file.ts";
export { parseTagRule, type TagRule } from "./tags/rule.ts";
export { newerReleases, settleTags, type Settled } from "./tags/settle.ts";
export { fromGcloud } from "./lifecycle/artifact-registry/gcloud.ts";
export { requireRead } from "./lifecycle/check.ts";
export { convertLifecycle } from "./lifecycle/convert.ts";
export { simulateLifecycle } from "./lifecycle/simulate.ts";
export { lifecycleWarnings } from "./lifecycle/warnings.ts";
export { protection } from "./protect.ts";
export type { DialectPolicy } from "./retain/dialect.ts";
export { asOf, sizeOverTime, type SizeAt, type SizeOptions } from "./retain/history.ts";
export { planRetention, type RetentionState } from "./retain/plan-retention.ts";
export type { Keep, Moment, RetentionPolicy, RetentionRule } from "./retain/retention.ts";
export { parseRetention, retentionSchema } from "./retain/schema.ts";
export { type Gate, type GateContext, type GateResult, type GateSettings, type Subject } from "./promote/gate.ts";
export { planPromotion } from "./promote/plan-promotion.ts";
export { planRollback, type RollbackState, type RollbackTag } from "./promote/plan-rollback.ts";
export { receiptSchema, receiptType, type Receipt, type Who } from "./promote/receipt.ts";
export { stageFaults, stagesOf, type Stage, type StageFault } from "./promote/stage.ts";
export type { Promotion, PromotionPolicy, TagNow } from "./promote/state.ts";
export { fillPlace, targetAt, targetOf, type Target, type TargetOptions } from "./promote/target.ts";
export { parseSync, type PruneRule, type SyncRule, type TagRule as TagSelection } from "./sync/parse.ts";
export { withNeighbours } from "./sync/beside.ts";
export { syncPlaces } from "./sync/places.ts";
export { formatReport, reportFormats, type ReportFormat } from "./sync/report.ts";
export type { BudgetFile, LimitsFile, Mapping, Prune, SyncFile, SyncSettings, TagSet } from "./sync/sync-file.ts";
