import { digestOf } from "../../src/oci/digest.ts";
import type { Plan, Step } from "../../src/plan/plan.ts";

const digest = digestOf(Buffer.from("x"));
const app = "registry.example/app";
const common = { why: "why", at: `${app}@${digest}` } as const;

/** A step of each kind, with all that it may say. */
export const steps: readonly Step[] = [
  { ...common, id: "1", do: "delete tag", at: `${app}:1`, digest, rule: "rules[0]", bytes: 5 },
  { ...common, id: "2", do: "delete manifest", digest, tags: ["a"], after: ["1"] },
  { ...common, id: "3", do: "tag", at: `${app}:2`, digest, before: null },
  {
    ...common,
    id: "4",
    do: "copy",
    from: "oci:images:1",
    digest,
    before: digest,
    platforms: ["linux/amd64"],
    referrers: false,
  },
  {
    ...common,
    id: "5",
    do: "attach",
    digest,
    artifactType: "a/b",
    annotations: { a: "b" },
    document: { a: [1, null] },
  },
  { ...common, id: "6", do: "create repository", at: app },
  { ...common, id: "7", do: "delete repository", at: app },
  {
    ...common,
    id: "8",
    do: "set immutability",
    at: app,
    tags: "immutable",
    except: ["dev-*"],
    patterns: "wildcard",
    before: { tags: "mutable", except: ["x"] },
  },
  { ...common, id: "9", do: "restore", digest, mediaType: "a/b", manifest: "e30=", tags: ["1"] },
];

export const full: Plan = {
  version: 1,
  kind: "retain",
  made: "2026-11-20T14:05:00Z",
  from: "retain.yaml",
  steps,
  kept: [{ at: `${app}:1`, digest, why: "why", rule: "rules[1]" }],
  notes: [{ level: "refused", at: app, message: "it cannot be read" }],
};

const withStep = (step: object): unknown => ({ ...full, steps: [step] });

/** What is no plan, and what the error says of it. */
export const wrong: Readonly<Record<string, readonly [value: unknown, message: string]>> = {
  "no object": ["plan", "plan"],
  "another version": [{ ...full, version: 2 }, "version: is a version that this Gantry does not know: it has to be 1"],
  "a kind that nobody knows": [{ ...full, kind: "destroy" }, "kind: "],
  "no steps": [{ ...full, steps: undefined }, "steps: is missing"],
  "a key that nobody knows": [{ ...full, force: true }, 'force: "force" is not known here'],
  "a step that nobody knows": [withStep({ ...steps[0], do: "format disk" }), "steps[0].do: "],
  "a key of another step": [withStep({ ...steps[0], tags: [] }), 'steps[0].tags: "tags" is not known here'],
  "no digest": [withStep({ ...steps[0], digest: "latest" }), "steps[0].digest: is no digest"],
  "an empty place": [withStep({ ...steps[0], at: "" }), "steps[0].at: is empty"],
  "bytes below nothing": [withStep({ ...steps[0], bytes: -1 }), "steps[0].bytes: is less than 0"],
  "half a byte": [withStep({ ...steps[0], bytes: 0.5 }), "steps[0].bytes: is no whole number"],
  "a note of no level": [{ ...full, notes: [{ level: "fatal", message: "x" }] }, "notes[0].level: "],
};
