/** The services and registries that have policies of their own, each with a document of its own form. */
export const lifecycleDialects = ["ecr", "artifact-registry", "acr", "harbor", "gitlab", "quay", "zot"] as const;
export type LifecycleDialect = (typeof lifecycleDialects)[number];
