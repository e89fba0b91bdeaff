import type { SyncRule } from "../policy/sync/parse.ts";
import { candidates, selectTags, timesOf, type Selection, type TagFacts } from "../policy/sync/select.ts";
import type { Wanted } from "../policy/sync/state.ts";
import type { SourceView } from "./source-view.ts";

/** The tags of a source that a rule selects. */
export interface Selected extends Selection {
  /** Tags of which nobody can tell whether they are selected. */
  readonly unread: readonly Wanted[];
}

/** The one image that a rule names. */
export const only = (ref: string): Selected => ({ selected: [ref], dropped: [], tooFew: [], unread: [] });

const none: ReadonlyMap<string, TagFacts> = new Map();

/** Chooses by what the tags are called, and where the rule asks for times, by those. */
export async function select(rule: SyncRule, source: SourceView, now: Date): Promise<Selected> {
  const tags = await source.tags();
  const timed = rule.tags.map((set) => ({ set, kinds: timesOf(set) })).filter(({ kinds }) => kinds.length > 0);
  const asked = [...new Set(timed.flatMap(({ set }) => candidates(tags, set)))];
  const facts = asked.length > 0 ? await source.times(asked, new Set(timed.flatMap(({ kinds }) => kinds))) : none;
  const selection = selectTags(tags, rule.tags, facts, now);
  const unread = selection.dropped.flatMap(({ tag }): readonly Wanted[] => {
    const failed = facts.get(tag)?.failed;
    return failed === undefined
      ? []
      : [{ tag, pulls: 0, lacks: [], targets: [], failed: `it cannot be read: ${failed}` }];
  });
  return { ...selection, unread };
}
