import type { Digest } from "../../oci/digest.ts";
import type { Planned } from "./planned.ts";
import { pruneAt } from "./prune.ts";
import type { Route } from "./state.ts";

/** Each deletion names all copies that it comes after: a plan does not get larger by that than can be reviewed. */
const mostPairs = 1_000_000;

/** Plans what goes at a place, after all that is copied there. */
export function planPrune(place: string, routes: readonly Route[], made: Planned): void {
  const { tags, manifests, kept, notes } = pruneAt(place, routes, made.state);
  made.kept.push(...kept);
  made.notes.push(...notes);
  const after = made.copies.get(place);
  const going = tags.length + manifests.length;
  if (after && after.length * going > mostPairs) {
    const message = `${going} deletions are left for the next run, when its ${after.length} copies are there`;
    made.notes.push({ level: "warning", at: place, message });
    return;
  }
  for (const { tag, digest, rule } of tags) {
    const more = after && { after };
    made.add({ do: "delete tag", at: `${place}:${tag}`, digest, why: "no mapping writes it", rule, ...more });
  }
  const ids = new Map<Digest, string>();
  for (const { digest, tags: names, why, rule, owner } of manifests) {
    const first = owner && ids.get(owner);
    const all = [...(after ?? []), ...(first === undefined ? [] : [first])];
    const more = all.length > 0 && { after: all };
    const id = made.add({ do: "delete manifest", at: `${place}@${digest}`, digest, tags: names, why, rule, ...more });
    ids.set(digest, id);
  }
}
