// The public surface of "gantry/policy", written by hand: pure functions from policy, state and time to plans.
export { fitsOne, parsePattern, type Pattern } from "./pattern.ts";
export { convertLifecycle } from "./lifecycle/convert.ts";
export { simulateLifecycle } from "./lifecycle/simulate.ts";
