import type { Shape } from "./shapes.ts";

const digest = "a digest: sha256:...";

/** What stands for any JSON. */
export const attachedDocument = "what is attached, as JSON";

/** A plan, as schemas/plan.json has it; once it was applied, with what became of each step. */
export const planShape: Shape = {
  version: "1",
  kind: "retain, promote, rollback, sync, tags or undo",
  made: "when: 2026-11-20T14:05:00Z",
  "from?": "what it was made from",
  "complete?": "once it was applied: whether every step was done, now or before, and nothing was refused",
  steps: [
    {
      id: "unique in the plan",
      do: "delete tag, delete manifest, tag, copy, attach, create repository, delete repository, set immutability or restore",
      at: "where",
      why: "one sentence",
      "rule?": "the rule that decides",
      "after?": ["the id of a step that has to be done before"],
      "bytes?": "how many it frees or moves",
      "digest?": digest,
      "from?": "of a copy: where it is read",
      "before?": "what the tag names now, or null; of immutability, what holds now",
      "tags?": "of a manifest: the tags that go, or come back, with it; of immutability: mutable or immutable",
      "platforms?": ["of a copy: os/arch"],
      "referrers?": "of a copy: whether what is attached goes along",
      "limitRate?": "of a copy: bytes a second, of all of the same rule",
      "artifactType?": "of an attached document",
      "annotations?": { "*": "its value" },
      "document?": attachedDocument,
      "except?": ["a tag for which the opposite holds"],
      "patterns?": "wildcard, doublestar or regex",
      "mediaType?": "of what comes back",
      "manifest?": "its bytes, in base64",
      "outcome?": "once it was applied: done, already, stale, failed or skipped",
      "problem?": "why it was not done",
    },
  ],
  kept: [{ at: "what stays", "digest?": digest, why: "one sentence", "rule?": "the rule that decides" }],
  notes: [{ level: "info, warning or refused", "at?": "where", message: "what there is to know" }],
};

/** A plan, where a command may end with something else. */
const planOrNot: Shape = Object.fromEntries(
  Object.entries(planShape).map(([key, shape]) => [`${key.replace(/\?$/, "")}?`, shape]),
);

export const planShapes: Readonly<Record<string, Shape>> = {
  apply: planShape,
  undo: planShape,
  retain: planShape,
  sync: planShape,
  "tags check": [
    {
      severity: "error, warning or info",
      rule: "what was looked for, in one word",
      at: "the repository, tag or manifest",
      message: "what was found",
      advice: "what to do",
      "digest?": "what a tag that is behind should name",
    },
  ],
  "tags plan": {
    ...planOrNot,
    "build?": {
      "ref?": "a git ref in full",
      "sha?": "the commit",
      "event?": "push, pull_request, schedule or another",
    },
    "tags?": [{ tag: "a tag", rule: "the rule that makes it" }],
    "references?": ["with --for: repository and tag in one"],
    "held?": [{ at: "with --for: a tag that is not given", why: "one sentence" }],
    "remarks?": ["what is likely not meant"],
  },
};
