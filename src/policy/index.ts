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
