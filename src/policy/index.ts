// The public surface of "gantry/policy", written by hand: pure functions from policy, state and time to plans.
export { fitsOne, parsePattern, type Pattern } from "./pattern.ts";
export { checkTags } from "./tags/check-tags.ts";
export { ciContext, withGithubEvent, type CiContext } from "./tags/ci.ts";
export type { BuildContext } from "./tags/context.ts";
export { defaultRules, environmentRule } from "./tags/default-rules.ts";
export { severities, tagRules, type TagFinding, type TagSeverity } from "./tags/finding.ts";
export { parseFlavor, type Flavor } from "./tags/flavor.ts";
export { immutableBy } from "./tags/immutable.ts";
export { noHistory, parseTagHistory, recordTags, type TagHistory } from "./tags/history.ts";
export { makeTags, type MadeTag, type MadeTags } from "./tags/make.ts";
export { planFixes } from "./tags/plan-fixes.ts";
export { planImmutability, type ImmutabilityState, type ImmutableForm } from "./tags/plan-immutability.ts";
export { planTags, type TaggedState, type TagPolicy } from "./tags/plan-tags.ts";
export { parseRulesFile, type RulesFile } from "./tags/rules-file.ts";
export { parseTagRule, type TagRule } from "./tags/rule.ts";
export { newerReleases, settleTags, type Settled } from "./tags/settle.ts";
export { convertLifecycle } from "./lifecycle/convert.ts";
export { simulateLifecycle } from "./lifecycle/simulate.ts";
