import { isRegistryError } from "../../oci/error.ts";
import type { Note } from "../../plan/plan.ts";
import { parseLifecycle } from "../lifecycle/convert.ts";
import type { LifecycleDialect } from "../lifecycle/dialects.ts";
import type { Decision, LifecycleImage } from "../lifecycle/images.ts";
import type { Rules } from "../lifecycle/rules.ts";
import { simulateLifecycle } from "../lifecycle/simulate.ts";
import { lifecycleWarnings } from "../lifecycle/warnings.ts";
import type { Contents, Image } from "./contents.ts";
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
        const verdicts = verdictsOf(simulateLifecycle(dialect, document, images, given), contents);
        const traps = lifecycleWarnings(dialect, document, images, given).map(({ at, message }): Note => {
          return { level: "warning", at: repository, message: `${at} ${message}` };
        });
        return { ...verdicts, notes: [...verdicts.notes, ...traps] };
      } catch (error) {
        if (!isRegistryError(error, "INVALID")) throw error;
        const refused = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
        return { tags: [], untagged: [], notes: [], refused };
      }
    },
  };
}

/** An image, or one tag of it, with the numbers of both. */
interface Given extends LifecycleImage {
  readonly number: number;
  readonly places: readonly number[];
}

/** The images as a service has them: once for each tag where those go one by one, with the parts of indexes where they count. */
function imagesOf(
  contents: Contents,
  { unit, withParts, countsOrphans }: Pick<Rules, "unit" | "countsOrphans"> & { readonly withParts: boolean },
): readonly Given[] {
  const { graph, tagged, untagged, orphans } = contents;
  const top = [...tagged, ...untagged, ...(countsOrphans ? orphans : [])];
  const images: Given[] = [];
  for (const image of top) {
    const one = givenImage(image, contents);
    if (unit === "image" || image.tags.length < 2) images.push(one);
    else one.tags.forEach((tag, i) => images.push({ ...one, tags: [tag], places: [one.places[i]!] }));
  }
  if (!withParts) return images;
  const known = new Set(top.map(({ number }) => number));
  const indexes = top.map(({ number, held }) => ({ index: number, pushed: held.pushed }));
  // An array yields what is added while it is gone through: the parts of indexes in indexes.
  for (const { index, pushed } of indexes) {
    for (const number of graph.parts[index]!) {
      if (known.has(number)) continue;
      known.add(number);
      const part = graph.held[number]!;
      // A listing by tags tells nothing of parts: they came with the index that is made of them.
      const held = part.pushed === undefined && pushed !== undefined ? { ...part, pushed } : part;
      images.push(givenImage({ number, held, tags: [], pulled: part.pulled }, contents));
      if (graph.parts[number]!.length > 0) indexes.push({ index: number, pushed: held.pushed });
    }
  }
  return images;
}

function givenImage({ number, held, tags, pulled }: Image, { graph, isPart }: Contents): Given {
  const { digest, pushed, created, immutable, state } = held;
  const [subject] = graph.bonds.get(number) ?? [];
  const text = (time: number): string => new Date(time).toISOString();
  return {
    digest,
    number,
    tags: tags.map((tag) => graph.tags[tag]!),
    places: tags,
    ...(isPart[number] === 1 && { isPart: true }),
    ...(subject && { subject }),
    ...(pushed !== undefined && { pushed: text(pushed) }),
    ...(pulled !== undefined && { pulled: text(pulled) }),
    ...(created !== undefined && { created: text(created) }),
    ...(immutable && { immutable }),
    ...(state !== undefined && { state }),
  };
}

function verdictsOf(decisions: readonly Decision<Given>[], { graph, inventory }: Contents): Verdicts {
  const tags = Array.from<Fate | undefined>({ length: graph.tags.length });
  const untagged = Array.from<Fate | undefined>({ length: graph.held.length });
  let archived = 0;
  for (const { image, action, rule, reason } of decisions) {
    if (action === "archive") archived++;
    const why = action === "archive" ? `${reason}: its service would archive it` : reason;
    const fate = { goes: action === "delete", why, ...(rule !== undefined && { rule }) };
    for (const tag of image.places) tags[tag] = fate;
    if (image.places.length === 0) untagged[image.number] = fate;
  }
  const message = `${archived} would be archived by the policy: here, they stay`;
  const notes: readonly Note[] = archived > 0 ? [{ level: "warning", at: inventory.repository, message }] : [];
  return { tags, untagged, notes };
}
