import type { Digest } from "../../oci/digest.ts";
import { isRegistryError } from "../../oci/error.ts";
import type { Note } from "../../plan/plan.ts";
import { parseLifecycle } from "../lifecycle/convert.ts";
import type { LifecycleDialect } from "../lifecycle/dialects.ts";
import type { LifecycleImage } from "../lifecycle/images.ts";
import type { Rules } from "../lifecycle/rules.ts";
import { simulateLifecycle } from "../lifecycle/simulate.ts";
import { lifecycleWarnings } from "../lifecycle/warnings.ts";
import { subjectsOf, type Contents, type Image } from "./contents.ts";
import type { DecideOptions } from "./decide.ts";
import type { Decider, Fate, Verdicts } from "./verdicts.ts";

/** A policy in the form of a service's own. */
export interface DialectPolicy {
  readonly dialect: LifecycleDialect;
  readonly document: unknown;
}

/**
 * Makes a policy of a service's own form ready to decide, by that service's rules. Throws INVALID for a document that the
 * service would refuse.
 */
export function dialectDecider({ dialect, document }: DialectPolicy, options: DecideOptions = {}): Decider {
  const { rules, losses } = parseLifecycle(dialect, document);
  const selections = rules.deletions.flatMap(({ selection, except }) => [
    selection,
    ...except.map((one) => one.selection),
  ]);
  // Parts without a tag are nothing to rules for tags.
  const withParts = rules.countsParts && (losses.length > 0 || selections.some(({ state }) => state !== "tagged"));
  return {
    unused: () => [],
    decide(contents, now) {
      const { repository } = contents.inventory;
      const name = repository.slice(repository.indexOf("/") + 1);
      try {
        const given = { now, repository: name, ...options };
        const images = imagesOf(contents, { ...rules, withParts });
        const verdicts = verdictsOf(simulateLifecycle(dialect, document, images, given), repository);
        const traps = lifecycleWarnings(dialect, document, images, given).map(({ at, message }): Note => {
          return { level: "warning", at: repository, message: `${at} ${message}` };
        });
        return { ...verdicts, notes: [...verdicts.notes, ...traps] };
      } catch (error) {
        if (!isRegistryError(error, "INVALID")) throw error;
        const refused = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
        return { tags: new Map(), untagged: new Map(), notes: [], refused };
      }
    },
  };
}

/** The images as a service has them: once for each tag where those go one by one, with the parts of indexes where they count. */
function imagesOf(
  { tagged, untagged, orphans, parts, inventory: { manifests } }: Contents,
  { unit, withParts, countsOrphans }: Pick<Rules, "unit" | "countsOrphans"> & { readonly withParts: boolean },
): readonly LifecycleImage[] {
  const top = [...tagged, ...untagged, ...(countsOrphans ? orphans : [])];
  const images = top.flatMap((image) => {
    const one = lifecycleImage(image, parts);
    return unit === "image" || image.tags.length < 2 ? [one] : image.tags.map((tag) => ({ ...one, tags: [tag] }));
  });
  if (!withParts) return images;
  const known = new Set(top.map(({ held }) => held.digest));
  const indexes = top.map(({ held }) => held);
  // An array yields what is added while it is gone through: the parts of indexes in indexes.
  for (const { children, pushed } of indexes) {
    for (const digest of children) {
      const part = manifests.get(digest);
      if (!part || known.has(digest)) continue;
      known.add(digest);
      // A listing by tags tells nothing of parts: they came with the index that is made of them.
      const dated = part.pushed === undefined && pushed !== undefined ? { ...part, pushed } : part;
      images.push(lifecycleImage({ held: dated, tags: [], pulled: part.pulled }, parts));
      if (part.children.length > 0) indexes.push(dated);
    }
  }
  return images;
}

function lifecycleImage({ held, tags, pulled }: Image, parts: ReadonlySet<Digest>): LifecycleImage {
  const { digest, pushed, created, immutable, state } = held;
  const [subject] = subjectsOf(held);
  const text = (time: number): string => new Date(time).toISOString();
  return {
    digest,
    tags,
    ...(parts.has(digest) && { isPart: true }),
    ...(subject && { subject }),
    ...(pushed !== undefined && { pushed: text(pushed) }),
    ...(pulled !== undefined && { pulled: text(pulled) }),
    ...(created !== undefined && { created: text(created) }),
    ...(immutable && { immutable }),
    ...(state !== undefined && { state }),
  };
}

function verdictsOf(decisions: ReturnType<typeof simulateLifecycle>, repository: string): Verdicts {
  const [tags, untagged] = [new Map<string, Fate>(), new Map<Digest, Fate>()];
  let archived = 0;
  for (const { image, action, rule, reason } of decisions) {
    if (action === "archive") archived++;
    const why = action === "archive" ? `${reason}: its service would archive it` : reason;
    const fate = { goes: action === "delete", why, ...(rule !== undefined && { rule }) };
    for (const tag of image.tags) tags.set(tag, fate);
    if (image.tags.length === 0) untagged.set(image.digest!, fate);
  }
  const message = `${archived} would be archived by the policy: here, they stay`;
  const notes: readonly Note[] = archived > 0 ? [{ level: "warning", at: repository, message }] : [];
  return { tags, untagged, notes };
}
