import * as v from "valibot";
import { checked, type Document } from "../document/document.ts";
import type { Inventory } from "../graph/inventory.ts";
import { isDigest, type Digest } from "../oci/digest.ts";

/** What the repositories of a destination have, written down for where the destination cannot be asked. */
export interface Holdings {
  readonly version: 1;
  readonly kind: "holdings";
  /** When it was written: RFC 3339, UTC. */
  readonly made: string;
  /** By repository, as in references: `registry.example/app`. */
  readonly repositories: Readonly<Record<string, Held>>;
}

/** What one repository has. */
export interface Held {
  readonly tags: Readonly<Record<string, Digest>>;
  readonly manifests: Readonly<Record<string, HeldManifest>>;
  /** The size of each blob in bytes. */
  readonly blobs: Readonly<Record<string, number>>;
}

export interface HeldManifest {
  readonly mediaType: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly subject?: Digest;
}

/** A repository in which nothing is. */
export const emptyHeld: Held = { tags: {}, manifests: {}, blobs: {} };

const digest = v.custom<Digest>((value) => typeof value === "string" && isDigest(value), "is no digest");
const digestKey = v.pipe(
  v.string(),
  v.check((value) => isDigest(value), "is no digest"),
);
const size = v.pipe(v.number(), v.safeInteger("is no size"), v.minValue(0, "is no size"));
const text = v.pipe(v.string(), v.nonEmpty("is empty"));

const schema: v.GenericSchema<unknown, Holdings> = v.strictObject({
  version: v.literal(1, "is a version that this Gantry does not know: it has to be 1"),
  kind: v.literal("holdings", "has to be holdings: this is no record of what a destination has"),
  made: text,
  repositories: v.record(
    v.string(),
    v.strictObject({
      tags: v.record(v.string(), digest),
      manifests: v.record(
        digestKey,
        v.strictObject({
          mediaType: text,
          size,
          artifactType: v.exactOptional(text),
          subject: v.exactOptional(digest),
        }),
      ),
      blobs: v.record(digestKey, size),
    }),
  ),
});

/** Reads what was written down. Throws INVALID with the place of what is wrong in it. */
export const parseHoldings = (document: Document): Holdings => checked(schema, document);

/** Writes it, always in the same way. */
export const formatHoldings = (holdings: Holdings): string => `${JSON.stringify(holdings, undefined, 1)}\n`;

/**
 * What a repository has. A blob counts only where it belongs to an image that is there whole as far as manifests tell: what
 * could not be read is taken for missing.
 */
export function heldOf({ manifests, tags }: Inventory): Held {
  const all = [...manifests.values()];
  const manifestOf = ({ mediaType, size, artifactType, subject }: (typeof all)[number]): HeldManifest => ({
    mediaType,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(subject && { subject }),
  });
  return {
    tags: Object.fromEntries(tags),
    manifests: Object.fromEntries(all.map((one) => [one.digest, manifestOf(one)])),
    blobs: Object.fromEntries(all.flatMap(({ blobs }) => blobs.map((blob) => [blob.digest, blob.size]))),
  };
}
