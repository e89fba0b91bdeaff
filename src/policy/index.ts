// The public surface of "gantry/policy", written by hand: pure functions from policy, state and time to plans.
export { convertLifecycle } from "./lifecycle/convert.ts";
export { simulateLifecycle } from "./lifecycle/simulate.ts";
export { parseSync, type PruneRule, type SyncRule, type TagRule } from "./sync/parse.ts";
export { syncPlaces } from "./sync/places.ts";
export { formatReport, reportFormats, type ReportFormat } from "./sync/report.ts";
export type { Mapping, Prune, SyncFile, SyncSettings, TagSet } from "./sync/sync-file.ts";
