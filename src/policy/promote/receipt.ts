import * as v from "valibot";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { isRepository, isTag, parseReference } from "../../oci/reference.ts";
import type { GateResult } from "./gate.ts";

/** The type of the artifact that is a receipt, and of the document in it. */
export const receiptType = "application/vnd.gantry.promotion.v1+json";

/** The most bytes of a receipt that are read. */
export const receiptLimit = 256 * 1024;

/** Who promotes: a user of a machine, or whom a CI service says that it works for. */
export interface Who {
  readonly name: string;
  /** What says so: `GitHub Actions`, `--by`, or the machine's user. */
  readonly by?: string;
  /** The pipeline's run: a URL. */
  readonly run?: string;
}

/** A tag that was set, and what it named before; null where there was no such tag. */
export interface MovedTag {
  readonly tag: string;
  readonly before: Digest | null;
}

/** What a promotion or a rollback leaves at the image that it gave tags to, version 1. */
export interface Receipt {
  readonly version: 1;
  readonly kind: "promotion" | "rollback";
  /** When it was planned: RFC 3339, UTC. */
  readonly when: string;
  readonly who: Who;
  readonly digest: Digest;
  /** Where the image was read: with its digest. */
  readonly from: string;
  /** The repository that it is in now: `registry.example/prod/app`. */
  readonly to: string;
  readonly stage?: string;
  /** Those that moved; a tag that named the image already is not among them. */
  readonly tags: readonly MovedTag[];
  /** The image's version, where anything tells. */
  readonly release?: string;
  readonly gates: readonly GateResult[];
  readonly reason?: string;
  /** What made it: `gantry 0.1.0`. */
  readonly tool: string;
}

const line = v.pipe(v.string(), v.nonEmpty("is empty"), v.maxLength(1000, "is too long"));
const digest = v.custom<Digest>((value) => typeof value === "string" && isDigest(value), "is no digest");
const moment = v.pipe(
  line,
  v.check((value) => !Number.isNaN(Date.parse(value)), "is no time"),
);
const repository = v.pipe(line, v.check(isFullRepository, "is no repository"));
const gate: v.GenericSchema<unknown, GateResult> = v.strictObject({
  gate: line,
  passed: v.boolean(),
  message: v.pipe(v.string(), v.maxLength(1000, "is too long")),
  when: v.exactOptional(moment),
});

/** The form of a receipt, version 1. */
export const receiptSchema: v.GenericSchema<unknown, Receipt> = v.strictObject({
  version: v.literal(1, "is a version that this Gantry does not know: it has to be 1"),
  kind: v.picklist(["promotion", "rollback"]),
  when: moment,
  who: v.strictObject({ name: line, by: v.exactOptional(line), run: v.exactOptional(line) }),
  digest,
  from: line,
  to: repository,
  stage: v.exactOptional(line),
  tags: v.pipe(
    v.array(v.strictObject({ tag: v.pipe(v.string(), v.check(isTag, "is no tag")), before: v.nullable(digest) })),
    v.maxLength(100, "are too many"),
  ),
  release: v.exactOptional(line),
  gates: v.pipe(v.array(gate), v.maxLength(100, "are too many")),
  reason: v.exactOptional(line),
  tool: line,
});

/** Reads a receipt that is attached to `subject`; undefined for what is none, or one of another image. */
export function parseReceipt(bytes: Uint8Array, subject: Digest): Receipt | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
  const { success, output } = v.safeParse(receiptSchema, value);
  return success && output.digest === subject ? output : undefined;
}

/** A receipt that can be read again. Throws INVALID for one that could not, as one with more tags than are read. */
export function checkReceipt(receipt: Receipt): Receipt {
  const { issues } = v.safeParse(receiptSchema, receipt);
  if (!issues) return receipt;
  const [issue] = issues;
  throw new RegistryError("INVALID", `no receipt can say that: ${v.getDotPath(issue) ?? "it"} ${issue.message}`);
}

/** What a list of referrers shows of a receipt. */
export function receiptAnnotations({ when, kind, who, stage, tags }: Receipt): Readonly<Record<string, string>> {
  return {
    "org.opencontainers.image.created": when,
    "dev.gantry.promotion.kind": kind,
    "dev.gantry.promotion.who": who.name,
    ...(stage !== undefined && { "dev.gantry.promotion.stage": stage }),
    "dev.gantry.promotion.tags": tags.map(({ tag }) => tag).join(","),
  };
}

function isFullRepository(text: string): boolean {
  try {
    const { repository: name, tag, digest: pinned } = parseReference(text);
    return isRepository(name) && tag === undefined && pinned === undefined;
  } catch {
    return false;
  }
}
