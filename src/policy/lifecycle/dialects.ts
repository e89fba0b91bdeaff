/** The services and registries that have policies of their own, each with a document of its own form. */
export const lifecycleDialects = ["ecr", "artifact-registry", "acr", "harbor", "gitlab", "quay", "zot"] as const;
export type LifecycleDialect = (typeof lifecycleDialects)[number];

/** The forms that policies are converted between: these, and Gantry's own. */
export const lifecycleForms = [...lifecycleDialects, "gantry"] as const;
export type LifecycleForm = (typeof lifecycleForms)[number];
