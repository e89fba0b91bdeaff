// The public surface of "gantry/policy", written by hand: pure functions from policy, state and time to plans.
export { convertLifecycle } from "./lifecycle/convert.ts";
export { simulateLifecycle } from "./lifecycle/simulate.ts";
export { lifecycleWarnings } from "./lifecycle/warnings.ts";
