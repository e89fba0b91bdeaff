import { attachedKinds } from "../graph/attached-kinds.ts";
import { parsePattern } from "../policy/pattern.ts";

/** Of what is required, what is not attached: kinds (`signature`, `sbom`, `attestation`) or patterns of artifact types. */
export function lacking(required: readonly string[], attached: ReadonlySet<string>): readonly string[] {
  const fits = (wanted: string): boolean => {
    if (attachedKinds.some((kind) => kind === wanted)) return attached.has(wanted);
    const pattern = parsePattern(wanted);
    return [...attached].some((type) => pattern.fits(type));
  };
  return required.filter((wanted) => !fits(wanted));
}
