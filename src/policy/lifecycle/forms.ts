import { lifecycleDialects } from "./dialects.ts";

/** The forms that policies are converted between: those of services and registries, and Gantry's own. */
export const lifecycleForms = [...lifecycleDialects, "gantry"] as const;
export type LifecycleForm = (typeof lifecycleForms)[number];
