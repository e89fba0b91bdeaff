// The public surface of "gantry/policy", written by hand: pure functions from policy, state and time to plans.
export { convertLifecycle } from "./lifecycle/convert.ts";
export { simulateLifecycle } from "./lifecycle/simulate.ts";
export { lifecycleWarnings } from "./lifecycle/warnings.ts";
export { parsePattern, type Pattern } from "./pattern.ts";
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
export { stagesOf, type Stage } from "./promote/stage.ts";
export type { Promotion, PromotionPolicy, TagNow } from "./promote/state.ts";
export { fillPlace, targetAt, targetOf, type Target, type TargetOptions } from "./promote/target.ts";
