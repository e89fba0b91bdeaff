import { warningsOfArtifactRegistry } from "./artifact-registry/warnings.ts";
import { requireDocument } from "./check.ts";
import type { LifecycleDialect } from "./dialects.ts";
import { warningsOfEcr } from "./ecr/warnings.ts";
import { warningsOfGitlab } from "./gitlab/warnings.ts";
import { warningsOfHarbor } from "./harbor/warnings.ts";
import type { LifecycleImage, SimulateOptions } from "./images.ts";
import type { Warning } from "./warning.ts";
import { warningsOfZot } from "./zot/warnings.ts";

type Warn = (document: never, images: readonly LifecycleImage[], options: SimulateOptions) => readonly Warning[];

const warners: Readonly<Record<LifecycleDialect, Warn>> = {
  ecr: warningsOfEcr,
  "artifact-registry": warningsOfArtifactRegistry,
  acr: () => [],
  harbor: warningsOfHarbor,
  gitlab: warningsOfGitlab,
  quay: () => [],
  zot: warningsOfZot,
};

/**
 * The traps of a dialect that a policy falls into with the images of a repository: what goes, or stays, for a reason that its
 * writer may not have thought of. Throws INVALID as `simulateLifecycle` does.
 */
export function lifecycleWarnings(
  dialect: LifecycleDialect,
  document: unknown,
  images: readonly LifecycleImage[],
  options: SimulateOptions,
): readonly Warning[] {
  requireDocument(dialect, document);
  return warners[dialect](document as never, images, options);
}
