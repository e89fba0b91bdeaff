import type { Descriptor } from "../oci/descriptor.ts";

/** What people ask for that is attached in one of several forms. */
export const attachedKinds = ["signature", "sbom", "attestation"] as const;
export type AttachedKind = (typeof attachedKinds)[number];

/** The suffix of Cosign's tags, and what the tag names. */
const suffixes: Readonly<Record<string, AttachedKind>> = { sig: "signature", att: "attestation", sbom: "sbom" };

/** How a Sigstore bundle of cosign's says that its statement is a signature. */
const signed = "https://sigstore.dev/cosign/sign/v1";

/**
 * What an artifact stands for, by its type: Cosign's and Notation's signatures, SPDX, CycloneDX and Syft documents, in-toto's
 * statements. What a Sigstore bundle or a statement of BuildKit's says stands in annotations (cosign's specs/BUNDLE_SPEC.md;
 * BuildKit's docs/attestations/attestation-storage.md).
 */
function kindsOf({
  artifactType = "",
  annotations = {},
}: Pick<Descriptor, "artifactType" | "annotations">): AttachedKind[] {
  const predicate = annotations["dev.sigstore.bundle.predicateType"] ?? annotations["in-toto.io/predicate-type"] ?? "";
  const isBundle = /^application\/vnd\.dev\.sigstore\.bundle\b/.test(artifactType);
  const isStatement = isBundle
    ? annotations["dev.sigstore.bundle.content"] === "dsse-envelope" && predicate !== signed
    : /^application\/vnd\.(?:in-toto\b|dev\.cosign\.artifact\.att\b)/.test(artifactType);
  if (isStatement) return /\bspdx\b|\bcyclonedx\b/.test(predicate) ? ["attestation", "sbom"] : ["attestation"];
  const isSignature = /^application\/vnd\.(?:dev\.cosign\.artifact\.sig\b|cncf\.notary\.signature$)/.test(artifactType);
  if (isBundle || isSignature) return ["signature"];
  const isSbom = /\bspdx\b|\bcyclonedx\b|^application\/vnd\.(?:syft\b|dev\.cosign\.artifact\.sbom\b)/.test(
    artifactType,
  );
  return isSbom ? ["sbom"] : [];
}

/**
 * The kinds and artifact types of what is attached to an image: its referrers (and statements in its index), and the
 * suffixes of the tags `sha256-<hex>.<suffix>` that name what hangs on it.
 */
export function attachedTypes(
  attached: readonly Pick<Descriptor, "artifactType" | "annotations">[],
  tagSuffixes: readonly string[],
): ReadonlySet<string> {
  const types = attached.flatMap((one) => [...kindsOf(one), one.artifactType]);
  return new Set([...types, ...tagSuffixes.map((suffix) => suffixes[suffix])].filter((type) => type !== undefined));
}
