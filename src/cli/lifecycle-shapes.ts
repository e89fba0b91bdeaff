import type { Shape } from "./shapes.ts";

/** A policy is JSON of a form that its service decides. */
export const policyDocument = "the policy, in its service's own form";

const lossShape = { at: "the place in the document", message: "what cannot be said, or is said otherwise" };

const change: Shape = {
  repository: "host and repository",
  dialect: "whose form the policy has",
  "scope?": "what it holds for, where that is more than the repository: project library",
  done: "true, or false where it was only shown",
  document: policyDocument,
};

/** The JSON of what commands tell of lifecycle policies. */
export const lifecycleShapes: Readonly<Record<string, Shape>> = {
  "lifecycle get": policyDocument,
  "lifecycle set": { ...change, losses: [lossShape] },
  "lifecycle delete": change,
  "lifecycle preview": [
    {
      "digest?": "a digest: sha256:...",
      tags: ["a tag that would go with it"],
      "pushed?": "a time: 2026-11-20T14:05:00Z",
      "size?": "bytes",
      action: "delete, archive or, with --all, keep",
      "rule?": "the rule that says so, as the service names it, or its place in the document",
      "reason?": "why, where that was worked out here",
    },
  ],
  "lifecycle convert": policyDocument,
};
