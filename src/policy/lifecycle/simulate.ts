import { simulateAcr } from "./acr/simulate.ts";
import { simulateArtifactRegistry } from "./artifact-registry/simulate.ts";
import { requireDocument } from "./check.ts";
import type { LifecycleDialect } from "./dialects.ts";
import { simulateEcr } from "./ecr/simulate.ts";
import { simulateGitlab } from "./gitlab/simulate.ts";
import { simulateHarbor } from "./harbor/simulate.ts";
import type { Decision, LifecycleImage, SimulateOptions } from "./images.ts";
import { simulateQuay } from "./quay/simulate.ts";
import { simulateZot } from "./zot/simulate.ts";

/** What a service would do by a policy with the images of one repository, worked out from its documentation and source. */
type Simulate = <Image extends LifecycleImage>(
  document: never,
  images: readonly Image[],
  options: SimulateOptions,
) => readonly Decision<Image>[];

const simulations: Readonly<Record<LifecycleDialect, Simulate>> = {
  ecr: simulateEcr,
  "artifact-registry": simulateArtifactRegistry,
  acr: simulateAcr,
  harbor: simulateHarbor,
  gitlab: simulateGitlab,
  quay: simulateQuay,
  zot: simulateZot,
};

/**
 * What a policy would do now with the images of a repository, by its dialect's rules; a tag's own fate is told where
 * tags go one by one. Throws INVALID for a document that the service would refuse, and for images without a time.
 */
export function simulateLifecycle<Image extends LifecycleImage>(
  dialect: LifecycleDialect,
  document: unknown,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  requireDocument(dialect, document);
  return simulations[dialect](document as never, images, options);
}
