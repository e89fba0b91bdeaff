import type { Digest } from "../../oci/digest.ts";
import type { Note } from "../../plan/plan.ts";
import { fitsOne, parsePattern } from "../pattern.ts";
import type { Contents, Image } from "./contents.ts";
import type { RetentionPolicy } from "./retention.ts";
import { compileRule, type CompiledRule, type Selected } from "./rule.ts";
import type { Decider, Fate } from "./verdicts.ts";

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
  return {
    ...(policy.minKeep !== undefined && { minKeep: policy.minKeep }),
    ...(policy.maxDelete !== undefined && { maxDelete: policy.maxDelete }),
    decide(contents, now) {
      const { repository } = contents.inventory;
      const here = rules.filter((rule) => rule.isFor(repository));
      for (const rule of here) fitting.add(rule);
      const [tags, untagged] = [new Map<string, Fate>(), new Map<Digest, Fate>()];
      const circumstances = { now, useCreated, tellsPulls: contents.tellsPulls };
      const notes: Note[] = [];
      for (const [rule, selected] of select(here, contents)) {
        used.add(rule);
        const missing = untimed(rule, selected, useCreated);
        if (missing.length > 0) {
          const why = untimedWhy(rule, missing, contents, useCreated);
          if (missing.length === selected.length) return { tags, untagged, notes, refused: why };
          notes.push({ level: "warning", at: repository, message: `${why}; what it is not known of stays` });
        }
        if (rule.needsPulls && !contents.tellsPulls) {
          const message = `${rule.label}: nothing is told of pulls here, so that pulledWithin keeps all that it is for`;
          notes.push({ level: "warning", at: repository, message });
        }
        rule.decide(selected, circumstances).forEach((fate, i) => {
          const { tag, image } = selected[i]!;
          if (tag === undefined) untagged.set(image.held.digest, fate);
          else tags.set(tag, fate);
        });
      }
      const isProtected: Fate = { goes: false, why: "protected by the policy", rule: "protect" };
      for (const tag of tags.keys()) if (fitsOne(protect, tag)) tags.set(tag, isProtected);
      return { tags, untagged, notes };
    },
    unused: () =>
      rules.flatMap((rule) => {
        if (used.has(rule)) return [];
        const why = fitting.has(rule)
          ? "it selects nothing that is left to it by the rules before it"
          : "it is for none of these repositories";
        return [{ rule: rule.label, why }];
      }),
  };
}

/** What each rule decides about: all that it is the first to select. */
function select(
  rules: readonly CompiledRule[],
  { tagged, untagged, orphans }: Contents,
): ReadonlyMap<CompiledRule, readonly Selected[]> {
  const selected = new Map<CompiledRule, Selected[]>();
  const add = (rule: CompiledRule | undefined, one: Selected): void => {
    if (!rule) return;
    const known = selected.get(rule);
    if (known) known.push(one);
    else selected.set(rule, [one]);
  };
  const ofTags = rules.filter(({ kind }) => kind === "tags");
  for (const image of tagged) {
    for (const tag of image.tags)
      add(
        ofTags.find((rule) => rule.selects(tag)),
        { image, tag },
      );
  }
  const whole = (kind: CompiledRule["kind"], images: readonly Image[]): void => {
    const rule = rules.find((one) => one.kind === kind);
    for (const image of images) add(rule, { image });
  };
  whole("untagged", untagged);
  whole("orphaned", orphans);
  return selected;
}

/** The images of which the moment is not known that a rule goes by. */
function untimed(rule: CompiledRule, selected: readonly Selected[], useCreated: boolean): readonly Selected[] {
  return rule.needsMoment ? selected.filter(({ image }) => rule.momentOf(image, useCreated) === undefined) : [];
}

function untimedWhy(
  { label, by }: CompiledRule,
  missing: readonly Selected[],
  { inventory }: Contents,
  useCreated: boolean,
): string {
  const { tag, image } = missing[0]!;
  const name = tag ?? image.held.digest;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  const said = `${label}: it is not known when ${name}${more} ${missing.length > 1 ? "were" : "was"} ${by}`;
  if (by === "created") return `${said} (a time before 2000 counts as none)`;
  const isTold = [...inventory.manifests.values()].some(({ pushed }) => pushed !== undefined);
  if (isTold) return said;
  return useCreated
    ? `${said}, and what they say of when they were built does not help`
    : `${said}: this registry does not tell it; to go by when they were built, write \`by: created\` in the rule, or say --use-created`;
}
