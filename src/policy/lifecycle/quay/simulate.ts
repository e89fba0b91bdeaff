import { candidatesOf, type Candidate, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { readRegex } from "../regex.ts";
import { secondsOf, type QuayDocument, type QuayPolicy } from "./document.ts";

/** By Quay's source (data/model/oci/tag.py): each policy takes tags by itself, of those that its pattern is found in. */
export function simulateQuay<Image extends LifecycleImage>(
  { policies }: QuayDocument,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  const candidates = candidatesOf(images, "tag", options);
  const taken = new Map<Candidate, { readonly rule: string; readonly reason: string }>();
  policies.forEach((policy, i) => {
    for (const candidate of takes(policy, candidates)) {
      taken.set(candidate, { rule: `policies[${i}]`, reason: `${policy.method} is more than ${policy.value}` });
    }
  });
  return candidates.map((candidate) => {
    const { image, tags } = candidate;
    const found = taken.get(candidate);
    if (!found) return { image, action: "keep", tags: [], reason: "no policy takes it" };
    if (image.immutable) return { image, action: "keep", tags: [], ...found, reason: "it is immutable" };
    return { image, action: "delete", tags, ...found };
  });
}

function takes(
  { method, value, tagPattern, tagPatternMatches }: QuayPolicy,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const pattern = tagPattern === undefined || tagPattern === null ? undefined : readRegex(tagPattern);
  const selected = candidates.filter(
    ({ tags: [tag] }) => tag !== undefined && (!pattern || pattern.test(tag) === (tagPatternMatches ?? true)),
  );
  return method === "number_of_tags"
    ? selected.slice(Number(value))
    : selected.filter(({ age }) => age > secondsOf(value));
}
