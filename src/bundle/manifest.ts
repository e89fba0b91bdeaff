import * as v from "valibot";
import { checked, faultyDocument, type Document } from "../document/document.ts";
import type { Fault } from "../document/fault.ts";
import { isDigest, type Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { formatReference, isTag, parseReference } from "../oci/reference.ts";

/** What a bundle is for: which image is to be where, and what is expected to be there already. */
export interface BundleManifest {
  readonly version: 1;
  readonly kind: "bundle";
  /** When it was made: RFC 3339, UTC. */
  readonly made: string;
  /** What it was made from, for people. */
  readonly from?: string;
  readonly images: readonly BundledImage[];
}

export interface BundledImage {
  /** `HOST/REPOSITORY:TAG`, or `@DIGEST` of what gets no tag. */
  readonly at: string;
  readonly digest: Digest;
  /** What the tag named at the destination when that was written down; null for no such tag. */
  readonly before?: Digest | null;
  /** All manifests that belong to it, what is attached included; they are all in the bundle. */
  readonly manifests: readonly Digest[];
  /** The blobs of it that are in the bundle. */
  readonly blobs: readonly Digest[];
  /** The blobs of it that are not in the bundle, as the repository has them. */
  readonly expects: readonly Digest[];
  /** Other blobs of it that are not in the bundle: which other repository of the same registry has each, in full. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** The `sha256-*` tags that go along, and what they name. */
  readonly digestTags: Readonly<Record<string, Digest>>;
  /** Bytes of its blobs in the bundle; what several images share counts in the first of them. */
  readonly bytes: number;
}

/** The members of a bundle that say what it is; the others are those of an OCI image layout. */
export const manifestFile = "gantry-bundle.json";
export const sumsFile = "SHA256SUMS";

const text = v.pipe(v.string(), v.nonEmpty("is empty"));
const digest = v.custom<Digest>((value) => typeof value === "string" && isDigest(value), "is no digest");
const digestKey = v.pipe(
  v.string(),
  v.check((value) => isDigest(value), "is no digest"),
);
const digests = v.array(digest);
const tag = v.pipe(
  v.string(),
  v.check((value) => isTag(value), "is no tag"),
);
const image = v.pipe(
  v.string(),
  v.check((value) => {
    try {
      const { tag: name, digest: pinned } = parseReference(value);
      return formatReference(parseReference(value)) === value && (name === undefined) !== (pinned === undefined);
    } catch {
      return false;
    }
  }, "is no image of a registry, in full and with a tag or a digest"),
);

const repository = v.pipe(
  v.string(),
  v.check((value) => {
    try {
      const { registry, repository: name } = parseReference(value);
      return formatReference({ registry, repository: name }) === value;
    } catch {
      return false;
    }
  }, "is no repository of a registry, in full"),
);

const schema: v.GenericSchema<unknown, BundleManifest> = v.strictObject({
  version: v.literal(1, "is a version that this Gantry does not know: it has to be 1"),
  kind: v.literal("bundle", "has to be bundle"),
  made: text,
  from: v.exactOptional(text),
  images: v.array(
    v.strictObject({
      at: image,
      digest,
      before: v.exactOptional(v.nullable(digest)),
      manifests: digests,
      blobs: digests,
      expects: digests,
      mounts: v.exactOptional(v.record(digestKey, repository)),
      digestTags: v.record(tag, digest),
      bytes: v.pipe(v.number(), v.safeInteger("is no size"), v.minValue(0, "is no size")),
    }),
  ),
});

/** Reads it. Throws INVALID with the place of what is wrong: a form, an image that is there twice, a root that is no part of itself. */
export function parseBundleManifest(document: Document): BundleManifest {
  const manifest = checked(schema, document);
  const seen = new Set<string>();
  const faults = manifest.images.flatMap(({ at, digest: root, manifests, mounts = {}, digestTags }, i) => {
    const found: Fault[] = [];
    const fault = (key: string, message: string): void => void found.push({ path: ["images", i, key], message });
    if (seen.has(at)) fault("at", `${at} is there twice`);
    seen.add(at);
    const parts = new Set(manifests);
    const lost = [root, ...Object.values(digestTags)].find((one) => !parts.has(one));
    if (lost !== undefined) fault("manifests", `${lost} is not among them`);
    const registry = at.slice(0, at.indexOf("/") + 1);
    const foreign = Object.values(mounts).find((other) => !other.startsWith(registry));
    if (foreign !== undefined) fault("mounts", `${foreign} is in another registry`);
    return found;
  });
  if (faults.length > 0) throw faultyDocument(document, faults);
  return manifest;
}

/** The repository, and the tag, of an image in a bundle, or of any other in full. Throws INVALID for what is not in a registry. */
export function placeOfImage(at: string): { readonly place: string; readonly tag?: string } {
  const { registry, repository, tag: name } = parseReference(at);
  if (!at.startsWith(`${registry}/`)) {
    throw new RegistryError("INVALID", `${at} is no repository of a registry, and bundles are for those`);
  }
  return { place: formatReference({ registry, repository }), ...(name !== undefined && { tag: name }) };
}
