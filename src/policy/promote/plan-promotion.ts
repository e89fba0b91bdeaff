import type { Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Kept, Note, Plan, Step } from "../../plan/plan.ts";
import { compareVersions } from "../version.ts";
import { checkReceipt, receiptAnnotations, receiptType, type Receipt } from "./receipt.ts";
import type { Promotion, PromotionPolicy, TagNow } from "./state.ts";
import { versionIn } from "./template.ts";

/** A plan while it is being made. */
export interface Draft {
  /** Adds a step and answers its id. */
  add(step: Step extends infer S ? (S extends Step ? Omit<S, "id"> : never) : never): string;
  /** Adds the step that creates a repository, once, and answers its id. */
  create(repository: string): string;
  readonly kept: Kept[];
  note(level: Note["level"], at: string, message: string): void;
  plan(kind: Plan["kind"], from?: string): Plan;
}

/**
 * Plans promotions: copies to other repositories, tags in the image's own, and a receipt behind both. What a gate, an
 * immutable tag or a later version stands against is refused as a whole at that place; an alias that follows from a version
 * and names a later one already is left where it is. Throws INVALID where two images are to have one tag.
 */
export function planPromotion(policy: PromotionPolicy, promotions: readonly Promotion[], now: Date): Plan {
  const draft = draftOf(now);
  for (const promotion of settled(promotions)) promote(promotion, policy, draft, now);
  return draft.plan("promote", policy.from);
}

function promote(promotion: Promotion, policy: PromotionPolicy, draft: Draft, now: Date): void {
  const { to, digest, from, stage, gates, ungated } = promotion;
  for (const why of promotion.leftOut) draft.note("info", to, why);
  const judged = promotion.tags.map((tag) => ({ tag, verdict: verdictOn(tag, promotion, policy.force ?? false) }));
  const moving = judged.flatMap(({ tag, verdict }) => (verdict.is === "kept" ? [] : [tag]));
  const keep = ({ tag, names }: TagNow, why: string): void =>
    void draft.kept.push({ at: `${to}:${tag}`, ...(names && { digest: names }), why });
  for (const { tag, verdict } of judged) if (verdict.is === "kept") keep(tag, verdict.why);
  if (moving.length === 0) return;
  const refusals = [
    ...gates.flatMap(({ gate, passed, message }) => (passed ? [] : [`${gate}: ${message}`])),
    ...judged.flatMap(({ tag: { tag }, verdict }) => (verdict.is === "refused" ? [`${tag} ${verdict.why}`] : [])),
  ];
  if (refusals.length > 0) {
    for (const why of refusals) draft.note("refused", to, `${from}: ${why}`);
    for (const tag of moving) if (tag.names) keep(tag, `${from} was refused`);
    return;
  }
  if (ungated !== undefined)
    draft.note("warning", to, `${from}: ${ungated} has its gates, and they were not looked at: --to ${ungated}`);
  for (const { gate, message } of gates) draft.note("info", to, `${from}: ${gate}: ${message}`);
  for (const { tag, verdict } of judged)
    if (verdict.is === "moves" && verdict.warning !== undefined)
      draft.note("warning", `${to}:${tag.tag}`, verdict.warning);
  const done = moveTags(promotion, moving, draft);
  const receipt: Receipt = {
    version: 1,
    kind: "promotion",
    when: now.toISOString(),
    who: policy.who,
    digest,
    from,
    to,
    ...(stage !== undefined && { stage }),
    tags: moving.map(({ tag, names }) => ({ tag, before: names })),
    ...(promotion.release !== undefined && { release: promotion.release }),
    gates,
    ...(policy.reason !== undefined && { reason: policy.reason }),
    tool: policy.tool,
  };
  addReceipt(receipt, done, draft);
}

/** Gives the image its tags: those of its own repository at once, elsewhere the first by the copy and the others after it. */
function moveTags(
  { repository, to, create, ...image }: Promotion,
  moving: readonly TagNow[],
  draft: Draft,
): readonly string[] {
  const isCopied = repository !== to;
  const before = create ? [draft.create(to)] : [];
  const ids: string[] = [];
  for (const tag of moving) {
    const isCopy = isCopied && ids.length === 0;
    const [at, why] = [`${to}:${tag.tag}`, moveWords(tag, image, isCopy)];
    const after = isCopied && ids.length > 0 ? ids.slice(0, 1) : before;
    const common = { at, why, digest: image.digest, before: tag.names, ...(after.length > 0 && { after }) };
    const { from } = image;
    ids.push(draft.add(isCopy ? { do: "copy", from, ...common } : { do: "tag", ...common }));
  }
  return ids;
}

/** Adds the step that attaches a receipt, once `after` is done. */
export function addReceipt(receipt: Receipt, after: readonly string[], draft: Draft): void {
  draft.add({
    do: "attach",
    at: `${receipt.to}@${receipt.digest}`,
    why: `the receipt of this ${receipt.kind}`,
    digest: receipt.digest,
    artifactType: receiptType,
    annotations: receiptAnnotations(receipt),
    document: checkReceipt(receipt),
    after,
  });
}

type Verdict =
  | { readonly is: "moves"; readonly warning?: string }
  | { readonly is: "kept" | "refused"; readonly why: string };

/** Whether a tag may be moved to an image. */
function verdictOn(tag: TagNow, { digest, release }: Promotion, force: boolean): Verdict {
  const { names, immutable, alias } = tag;
  if (names === digest) return { is: "kept", why: "it names this image already" };
  if (names === null) return { is: "moves" };
  if (immutable !== undefined && !force) {
    return {
      is: "refused",
      why: `names ${names}, and must not move: so says ${immutable} (--force moves it all the same)`,
    };
  }
  const [older, newer] = [versionIn(tag.release), versionIn(release)];
  if (older && newer && compareVersions(newer, older) < 0 && !force) {
    const is = `is at ${older.tag} and would go back to ${newer.tag}`;
    return alias
      ? { is: "kept", why: `it names a later version: ${older.tag}` }
      : { is: "refused", why: `${is} (--force moves it all the same)` };
  }
  if (versionIn(tag.tag)) return { is: "moves", warning: `it is a version, and named ${names} before` };
  if (newer && !older)
    return { is: "moves", warning: `nothing tells the version of ${names}, which it names now: it may go backwards` };
  return { is: "moves" };
}

function moveWords(
  { names, release: old }: TagNow,
  { release, stage, from }: Pick<Promotion, "release" | "stage" | "from">,
  isCopy: boolean,
): string {
  const where = stage === undefined ? "" : `for ${stage}: `;
  // The digest stands in the step; that of a copy says the image, too.
  const image = from.replace(/(?<=:[^/]*)@.*/, "");
  if (names === null) return isCopy ? `${where}a new tag` : `${where}a new tag, for ${image}`;
  return `${where}it moves from ${old ?? names} to ${release ?? image}`;
}

/**
 * Promotions in which no tag is wanted twice: of an alias, the latest version has it. Throws INVALID where that does not
 * decide.
 */
function settled(promotions: readonly Promotion[]): readonly Promotion[] {
  const wanted = new Map<string, { digest: Digest; alias: boolean; promotion: Promotion }>();
  for (const promotion of promotions) {
    for (const { tag, alias } of promotion.tags) {
      const at = `${promotion.to}:${tag}`;
      const one = { digest: promotion.digest, alias, promotion };
      const other = wanted.get(at);
      if (!other) wanted.set(at, one);
      else if (other.digest !== one.digest) wanted.set(at, later(at, other, one));
    }
  }
  const has = new Set<string>();
  return promotions.map((promotion) => ({
    ...promotion,
    tags: promotion.tags.filter(({ tag }) => {
      const at = `${promotion.to}:${tag}`;
      const { digest } = wanted.get(at)!;
      if (digest !== promotion.digest || has.has(at)) return false;
      has.add(at);
      return true;
    }),
  }));
}

function later<T extends { alias: boolean; promotion: Promotion }>(at: string, a: T, b: T): T {
  const [left, right] = [versionIn(a.promotion.release), versionIn(b.promotion.release)];
  if (a.alias && b.alias && left && right) return compareVersions(left, right) < 0 ? b : a;
  throw new RegistryError("INVALID", `${at} would be both ${a.promotion.from} and ${b.promotion.from}`, {
    hint: "promote one of them, or give them tags of their own: --tag '{tag}'",
  });
}

/** Begins a plan. */
export function draftOf(now: Date): Draft {
  const steps: Step[] = [];
  const kept: Kept[] = [];
  const notes: Note[] = [];
  const created = new Map<string, string>();
  const add: Draft["add"] = (step) => {
    const id = String(steps.length + 1);
    steps.push({ ...step, id });
    return id;
  };
  return {
    kept,
    add,
    create(repository) {
      const id =
        created.get(repository) ?? add({ do: "create repository", at: repository, why: "it is not there yet" });
      created.set(repository, id);
      return id;
    },
    note: (level, at, message) => void notes.push({ level, at, message }),
    plan: (kind, from) => ({
      version: 1,
      kind,
      made: now.toISOString(),
      ...(from !== undefined && { from }),
      steps,
      kept,
      notes,
    }),
  };
}
