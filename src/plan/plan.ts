import type { Digest } from "../oci/digest.ts";

/** What made a plan. */
export const planKinds = ["retain", "promote", "rollback", "sync", "tags", "undo"] as const;
export type PlanKind = (typeof planKinds)[number];

/**
 * What is to be done and why, as data: made by a pure function, shown, saved, reviewed, and applied later. Places are
 * locations as on the command line, in full: `registry.example/app:1.0`, `oci:DIR:TAG`; those of manifests end in `@DIGEST`.
 */
export interface Plan {
  readonly version: 1;
  readonly kind: PlanKind;
  /** When it was made: RFC 3339, UTC. */
  readonly made: string;
  /** What it was made from, for people: a policy's file, a command. */
  readonly from?: string;
  readonly steps: readonly Step[];
  /** What was looked at and stays as it is. */
  readonly kept: readonly Kept[];
  /** What could not be judged, or is likely not meant, and what follows from that. */
  readonly notes: readonly Note[];
}

interface StepBase {
  /** Unique in the plan. */
  readonly id: string;
  /** One sentence. */
  readonly why: string;
  /** The rule of the policy that decides, by its name or its place in the document. */
  readonly rule?: string;
  /** The steps that have to be done (or found done) before this one; where one is not, this one is left. */
  readonly after?: readonly string[];
  /** Bytes that it frees or moves, as far as that is known; what several steps share counts in the first of them. */
  readonly bytes?: number;
}

/** Takes one tag away; its manifest and its other tags stay. */
export interface DeleteTag extends StepBase {
  readonly do: "delete tag";
  /** `HOST/REPOSITORY:TAG`. */
  readonly at: string;
  /** What the tag names. */
  readonly digest: Digest;
}

/** Takes a manifest away with all its tags. */
export interface DeleteManifest extends StepBase {
  readonly do: "delete manifest";
  /** `HOST/REPOSITORY@DIGEST`. */
  readonly at: string;
  readonly digest: Digest;
  /** All tags that go with it: with any other on it, it is not touched. */
  readonly tags: readonly string[];
}

/** Gives a manifest that is in the repository one more tag, or moves a tag to it. */
export interface SetTag extends StepBase {
  readonly do: "tag";
  /** `HOST/REPOSITORY:TAG`. */
  readonly at: string;
  readonly digest: Digest;
  /** What the tag names now; null where there is no such tag. */
  readonly before: Digest | null;
}

/** Copies an image with what is attached to it. */
export interface CopyImage extends StepBase {
  readonly do: "copy";
  /** Where it is read: with its tag, if it has one, and always with its digest. */
  readonly from: string;
  /** Where it goes, by tag or by digest. */
  readonly at: string;
  /** The digest at the source: what the destination has afterwards, unless `platforms` makes another index. */
  readonly digest: Digest;
  /** What the destination's tag names now; null where it is not there; absent where it is copied by digest alone. */
  readonly before?: Digest | null;
  /** Of an index, these alone: `linux/amd64`. */
  readonly platforms?: readonly string[];
  /** Whether what is attached goes along; true. */
  readonly referrers?: boolean;
  /** Bytes a second, of all copies of the same rule together. */
  readonly limitRate?: number;
}

/** Attaches a small artifact of one JSON document to an image: a promotion's receipt. */
export interface AttachDocument extends StepBase {
  readonly do: "attach";
  /** The image: `HOST/REPOSITORY@DIGEST`. */
  readonly at: string;
  readonly digest: Digest;
  readonly artifactType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly document: unknown;
}

export interface CreateRepository extends StepBase {
  readonly do: "create repository";
  /** `HOST/REPOSITORY`. */
  readonly at: string;
}

/** Takes a repository away that has nothing in it; one that has is not touched. */
export interface DeleteRepository extends StepBase {
  readonly do: "delete repository";
  /** `HOST/REPOSITORY`. */
  readonly at: string;
}

/** Says which tags of a repository cannot be moved, where its service can be told. */
export interface SetImmutability extends StepBase {
  readonly do: "set immutability";
  /** `HOST/REPOSITORY`. */
  readonly at: string;
  readonly tags: "mutable" | "immutable";
  /** The tags for which the opposite holds. */
  readonly except?: readonly string[];
  readonly patterns?: "wildcard" | "doublestar" | "regex";
  /** What holds now. */
  readonly before?: { readonly tags: "mutable" | "immutable"; readonly except?: readonly string[] };
}

/** Puts a deleted manifest back under its digest and its tags. */
export interface RestoreManifest extends StepBase {
  readonly do: "restore";
  /** `HOST/REPOSITORY@DIGEST`. */
  readonly at: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Its bytes, in base64. */
  readonly manifest: string;
  readonly tags: readonly string[];
}

export type Step =
  | DeleteTag
  | DeleteManifest
  | SetTag
  | CopyImage
  | AttachDocument
  | CreateRepository
  | DeleteRepository
  | SetImmutability
  | RestoreManifest;

/** What stays, and why. */
export interface Kept {
  /** `HOST/REPOSITORY:TAG`, or `@DIGEST` of what has no tag. */
  readonly at: string;
  readonly digest?: Digest;
  readonly why: string;
  readonly rule?: string;
}

export interface Note {
  readonly level: "info" | "warning" | "refused";
  /** The place that it is about. */
  readonly at?: string;
  /** The rule of the policy that it is about; the message names it, too. */
  readonly rule?: string;
  readonly message: string;
}

/** A pure function from policy, state and time to a plan. */
export type Planner<Policy, State> = (policy: Policy, state: State, now: Date) => Plan;

/** Whether a step takes something away. */
export const isDeletion = (step: Step): step is DeleteTag | DeleteManifest =>
  step.do === "delete tag" || step.do === "delete manifest";
