import type { Shape } from "./shapes.ts";

const digest = "a digest: sha256:...";

/** A plan, as gantry.dev/plan has it. */
export const planShape: Shape = {
  version: "1",
  kind: "retain, promote, rollback, sync, tags or undo",
  made: "when: 2026-11-20T14:05:00Z",
  "from?": "what it was made from",
  steps: [
    {
      id: "unique in the plan",
      do: "delete tag, delete manifest, tag, copy, attach, create repository, set immutability or restore",
      at: "where",
      why: "one sentence",
      "rule?": "the rule that decides",
      "after?": ["the id of a step that has to be done before"],
      "bytes?": "how many it frees or moves",
      "digest?": digest,
      "from?": "of a copy: where it is read",
      "before?": "what the tag names now, or null",
      "tags?": "of a manifest: the tags that go, or come back, with it; of immutability: mutable or immutable",
      "platforms?": ["of a copy: os/arch"],
      "referrers?": "of a copy: whether what is attached goes along",
      "limitRate?": "of a copy: bytes a second, of all of the same rule",
      "artifactType?": "of an attached document",
      "annotations?": { "*": "its value" },
      "document?": "what is attached",
      "except?": ["a tag for which the opposite holds"],
      "patterns?": "wildcard, doublestar or regex",
      "mediaType?": "of what comes back",
      "manifest?": "its bytes, in base64",
    },
  ],
  kept: [{ at: "what stays", "digest?": digest, why: "one sentence", "rule?": "the rule that decides" }],
  notes: [{ level: "info, warning or refused", "at?": "where", message: "what there is to know" }],
};

/** What applying a plan did. */
export const appliedShape: Shape = {
  complete: "whether every step was done, now or before",
  steps: [
    {
      id: "the step's",
      do: "what",
      at: "where",
      outcome: "done, already, stale, failed or skipped",
      "why?": "why it was not done",
    },
  ],
};

export const planShapes: Readonly<Record<string, Shape>> = {
  apply: appliedShape,
  sync: planShape,
};
