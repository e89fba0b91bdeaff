// What reads for promotions is loaded when it is asked for: nobody who only copies waits for it.
import type * as promotions from "./read-promotions.ts";
import type * as rollbacks from "./read-rollback.ts";

/** Reads what `planPromotion` decides over. Throws MANIFEST_UNKNOWN for an image that is not there. */
export const readPromotions: typeof promotions.readPromotions = async (...asked) =>
  (await import("./read-promotions.ts")).readPromotions(...asked);

/** Reads what the receipts say of a place, the last first. Throws MANIFEST_UNKNOWN or NAME_UNKNOWN where that is not there. */
export const readHistory: typeof rollbacks.readHistory = async (...asked) =>
  (await import("./read-rollback.ts")).readHistory(...asked);

/** Reads what `planRollback` decides over. Throws MANIFEST_UNKNOWN where no receipt tells. */
export const readRollback: typeof rollbacks.readRollback = async (...asked) =>
  (await import("./read-rollback.ts")).readRollback(...asked);
