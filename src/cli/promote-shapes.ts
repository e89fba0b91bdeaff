import { planShape } from "./plan-shapes.ts";
import type { Shape } from "./shapes.ts";

const digest = "a digest: sha256:...";

const receiptShape: Shape = {
  version: "1",
  kind: "promotion or rollback",
  when: "when it was planned: 2026-11-20T14:05:00Z",
  who: { name: "a user's name", "by?": "who says so", "run?": "the pipeline's run: a URL" },
  digest,
  from: "where the image was read, with its digest",
  to: "the repository that it is in",
  "stage?": "a stage of the configuration",
  tags: [{ tag: "one that moved", before: "what it named before, or null" }],
  "release?": "the image's version",
  gates: [{ gate: "its name", passed: "true or false", message: "one line", "when?": "when it was looked at" }],
  "reason?": "as it was given",
  tool: "what made it: gantry 0.1.0",
};

export const promoteShapes: Readonly<Record<string, Shape>> = {
  promote: planShape,
  "promote history": [{ artifact: "the digest of the receipt", receipt: receiptShape }],
  rollback: planShape,
};
