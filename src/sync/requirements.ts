import type { Attachment } from "../graph/attachments.ts";
import { parsePattern } from "../policy/pattern.ts";

/** What counts as each kind: artifact types, and the suffixes of Cosign's older tags. */
const kinds: Readonly<Record<string, { readonly types: RegExp; readonly suffix: string }>> = {
  signature: {
    types:
      /^application\/vnd\.(dev\.cosign\.(simplesigning|artifact\.sig)|dev\.sigstore\.bundle|cncf\.notary\.signature)/,
    suffix: ".sig",
  },
  sbom: { types: /spdx|cyclonedx|syft|\.sbom\./, suffix: ".sbom" },
  attestation: { types: /^application\/vnd\.(in-toto|dev\.sigstore\.bundle)/, suffix: ".att" },
};

/** Of what is required, what is not attached: kinds (`signature`, `sbom`, `attestation`) or patterns of artifact types. */
export function lacking(required: readonly string[], attached: readonly Attachment[]): readonly string[] {
  return required.filter((wanted) => {
    const kind = kinds[wanted];
    const pattern = kind ? undefined : parsePattern(wanted);
    const fits = (type: string): boolean => (kind ? kind.types.test(type) : pattern!.fits(type));
    return !attached.some(({ descriptor, manifest, tag }) => {
      const type = descriptor.artifactType ?? manifest?.descriptor.artifactType ?? manifest?.config?.mediaType;
      return (kind && tag?.endsWith(kind.suffix)) || (type !== undefined && fits(type));
    });
  });
}
