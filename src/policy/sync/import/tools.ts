/** The tools whose files can be read. */
export const syncTools = ["skopeo", "regsync", "dregsy", "image-syncer"] as const;
export type SyncTool = (typeof syncTools)[number];
