import { candidatesOf, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { someOf, type Warning } from "../warning.ts";
import { policyFor, storeFor, type ZotDocument } from "./document.ts";
import { entryFor } from "./simulate.ts";

/** Tags that go because no entry is for them at all; entries that no tag comes to; what is not collected. */
export function warningsOfZot(
  document: ZotDocument,
  images: readonly LifecycleImage[],
  options: SimulateOptions,
): readonly Warning[] {
  const store = storeFor(document, options.repository);
  const policy = policyFor(store, options.repository);
  const at = store.at === "" ? "policies" : store.at;
  if (!store.collects)
    return [{ at, message: "does nothing: garbage collection (gc) is off, which subPaths have to turn on" }];
  const entries = policy?.keepTags ?? [];
  if (!policy || entries.length === 0) return [];
  const tags = candidatesOf(images, "tag", options).flatMap((candidate) => candidate.tags);
  if (tags.length === 0) return [];
  const of = entryFor(entries);
  const places = tags.map((tag) => of(tag));
  const none = tags.filter((_, i) => places[i] === -1);
  const found = entries.flatMap((_, i): readonly Warning[] => {
    if (places.includes(i)) return [];
    return [
      { at: `${policy.at}.keepTags[${i}]`, message: "keeps nothing here: no tag fits it, or an entry before has them" },
    ];
  });
  if (none.length === 0) return found;
  const message = `is for no tag like ${someOf(none)}: with any entry at all, what fits none goes`;
  return [...found, { at: `${policy.at}.keepTags`, message }];
}
