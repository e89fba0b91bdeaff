import type { Note } from "../../plan/plan.ts";
import { fitsOne, parsePattern } from "../pattern.ts";
import type { Contents, Image } from "./contents.ts";
import type { RetentionPolicy } from "./retention.ts";
import { compileRule, type CompiledRule, type Selection } from "./rule.ts";
import type { Decider, Fate } from "./verdicts.ts";

const isProtected: Fate = { goes: false, why: "protected by the policy", rule: "protect" };

export interface DecideOptions {
  /** Takes the time at which an image was built where the registry does not tell when it was pushed. */
  readonly useCreated?: boolean;
}

/** Makes a policy of Gantry's own ready to decide. */
export function retentionDecider(policy: RetentionPolicy, { useCreated = false }: DecideOptions = {}): Decider {
  const rules = policy.rules.map((rule, i) => compileRule(rule, i, policy.by));
  const protect = (policy.protect ?? []).map((text) => parsePattern(text));
  const fitting = new Set<CompiledRule>();
  const used = new Set<CompiledRule>();
  let listsUntagged = false;
  /** Why a rule selected nothing, where that is likely not meant. */
  const unusedWhy = (rule: CompiledRule): string | undefined => {
    if (!fitting.has(rule)) return "it is for none of these repositories";
    if (rule.kind === "tags") {
      const isFirst = rules.find((one) => one.kind === "tags" && fitting.has(one)) === rule;
      return isFirst
        ? "it selects nothing: no tag is as it says"
        : "it selects nothing that is left to it by the rules before it";
    }
    if (rule.kind === "orphaned" || listsUntagged) return undefined;
    return "it selects nothing: these registries list no images without a tag";
  };
  return {
    ...(policy.minKeep !== undefined && { minKeep: policy.minKeep }),
    ...(policy.maxDelete !== undefined && { maxDelete: policy.maxDelete }),
    decide(contents, now) {
      const { repository, listsUntagged: lists } = contents.inventory;
      listsUntagged ||= lists;
      const here = rules.filter((rule) => rule.isFor(repository));
      for (const rule of here) fitting.add(rule);
      const { graph, tellsPulls } = contents;
      const tags = Array.from<Fate | undefined>({ length: graph.tags.length });
      const untagged = Array.from<Fate | undefined>({ length: graph.held.length });
      const circumstances = { now, useCreated, tellsPulls };
      const notes: Note[] = [];
      for (const [rule, selected] of select(here, contents)) {
        used.add(rule);
        const fates = rule.decide(selected, circumstances);
        const missing = untold(rule, selected, fates, contents, useCreated);
        if (missing) notes.push({ at: repository, ...missing });
        if (rule.needsPulls && !tellsPulls) {
          const message = `${rule.label}: nothing is told of pulls here, so that pulledWithin keeps all that it is for`;
          notes.push({ level: "warning", at: repository, message });
        }
        fates.forEach((fate, i) => {
          const tag = selected.tags[i];
          const place = selected.places[i]!;
          if (tag === undefined) untagged[place] = fate;
          else tags[place] = fitsOne(protect, tag) ? isProtected : fate;
        });
      }
      return { tags, untagged, notes };
    },
    unused: () =>
      rules.flatMap((rule) => {
        const why = used.has(rule) ? undefined : unusedWhy(rule);
        return why === undefined ? [] : [{ rule: rule.label, why }];
      }),
  };
}

/** What a rule decides about, with the number of each tag, or of the image without one. */
interface Selected extends Selection {
  readonly images: Image[];
  readonly tags: (string | undefined)[];
  readonly places: number[];
}

/** What each rule decides about: all that it is the first to select. */
function select(
  rules: readonly CompiledRule[],
  { graph, tagged, untagged, orphans }: Contents,
): ReadonlyMap<CompiledRule, Selected> {
  const selected = new Map<CompiledRule, Selected>();
  const add = (rule: CompiledRule | undefined, image: Image, tag: string | undefined, place: number): void => {
    if (!rule) return;
    let all = selected.get(rule);
    if (!all) selected.set(rule, (all = { images: [], tags: [], places: [] }));
    all.images.push(image);
    all.tags.push(tag);
    all.places.push(place);
  };
  const ofTags = rules.filter(({ kind }) => kind === "tags");
  const firstFor = (tag: string): CompiledRule | undefined => {
    for (const rule of ofTags) if (rule.selects(tag)) return rule;
    return undefined;
  };
  for (const image of tagged) {
    for (const place of image.tags) {
      const tag = graph.tags[place]!;
      add(firstFor(tag), image, tag, place);
    }
  }
  const whole = (kind: CompiledRule["kind"], images: readonly Image[]): void => {
    const rule = rules.find((one) => one.kind === kind);
    for (const image of images) add(rule, image, undefined, image.number);
  };
  whole("untagged", untagged);
  whole("orphaned", orphans);
  return selected;
}

/** What of a rule's selection stays only because something is not known, in words; undefined where that is nothing. */
function untold(
  rule: CompiledRule,
  { images, tags }: Selection,
  fates: readonly Fate[],
  { inventory }: Contents,
  useCreated: boolean,
): { readonly level: Note["level"]; readonly message: string } | undefined {
  const missing = fates.flatMap(({ untold: moment }, i) => (moment === undefined ? [] : i));
  const [first] = missing;
  if (first === undefined) return undefined;
  const moment = fates[first]!.untold;
  const name = tags[first] ?? images[first]!.held.digest;
  const [who, what] =
    missing.length > 1 ? [`${name} and ${missing.length - 1} more stay`, "they were"] : [`${name} stays`, "it was"];
  const said = `${rule.label}: ${who}, as it is not known when ${what} ${moment}`;
  const level = missing.length === images.length && rule.kind === "tags" ? "refused" : "warning";
  if (moment === "created") return { level, message: `${said} (a time before 2000 counts as none)` };
  const isTold = [...inventory.manifests.values()].some(({ pushed }) => pushed !== undefined);
  if (isTold || useCreated) return { level, message: said };
  const way = "to go by when they were built, write `by: created` in the rule, or say --use-created";
  return { level, message: `${said}: this registry does not tell it; ${way}` };
}
