import type { Digest } from "../oci/digest.ts";
import type { Inventory } from "./inventory.ts";
import { numbered, type Numbered } from "./numbered.ts";

export { subjectOfTag } from "./numbered.ts";

/** Something that stays, and why. */
export interface Root {
  readonly digest: Digest;
  readonly why: string;
}

/** Why a manifest is needed, and by whom. */
export interface Need {
  /** `root`, or how it belongs to what needs it. */
  readonly as: (typeof kinds)[number];
  /** The manifest that needs it; of a root, itself. */
  readonly by: Digest;
  readonly why: string;
}

const kinds = ["root", "child", "referrer", "digest tag", "subject"] as const;

/**
 * All manifests of a repository that have to stay for the roots to stay whole: the roots, the children of needed indexes,
 * what is attached to needed manifests (referrers, and what `sha256-*` tags name), and what needed manifests are attached
 * to in either way. The one rule by which everything that deletes goes; docs/decisions/0016-graph-safety.md says why.
 */
export function needed(inventory: Inventory, roots: Iterable<Root>): ReadonlyMap<Digest, Need> {
  const graph = numbered(inventory);
  const whys = new Map<number, string>();
  for (const { digest, why } of roots) {
    const root = graph.numbers.get(digest);
    if (root !== undefined && !whys.has(root)) whys.set(root, why);
  }
  const needs = neededIn(graph, whys.keys(), (root) => whys.get(root)!);
  return new Map(needs.all.map((one) => [graph.held[one]!.digest, needs.need(one)!]));
}

/** What has to stay in a repository by numbers. */
export interface Needs {
  readonly all: readonly number[];
  has(one: number): boolean;
  need(one: number): Need | undefined;
}

/** The same by numbers. */
export function neededIn(graph: Numbered, roots: Iterable<number>, whyRoot: (root: number) => string): Needs {
  const { held, parts, attached, subjects } = graph;
  // Of each that is needed, as what, from 1 on.
  const as = new Uint8Array(held.length);
  const by = new Int32Array(held.length);
  const [all, open]: [number[], number[]] = [[], []];
  const add = (one: number, kind: Need["as"], from: number): void => {
    if (as[one] !== 0) return;
    as[one] = 1 + kinds.indexOf(kind);
    by[one] = from;
    all.push(one);
    open.push(one);
  };
  for (const root of roots) add(root, "root", root);
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    for (const part of parts[from]!) add(part, "child", from);
    for (const { number, as: kind } of attached.get(from) ?? []) add(number, kind, from);
    for (const subject of subjects.get(from) ?? []) add(subject, "subject", from);
  }
  return {
    all,
    has: (one) => as[one] !== 0,
    need(one) {
      const kind = kinds[as[one]! - 1];
      const { digest } = held[by[one]!]!;
      return kind && { as: kind, by: digest, why: kind === "root" ? whyRoot(one) : words[kind](digest) };
    },
  };
}

const attachedTo = (by: Digest): string => `attached to ${by}`;
const words: Readonly<Record<Exclude<Need["as"], "root">, (by: Digest) => string>> = {
  child: (by) => `a part of the index ${by}`,
  referrer: attachedTo,
  "digest tag": attachedTo,
  subject: (by) => `${by} is attached to it`,
};

/** The same of each root for itself, for many roots: calls `visit` with all that one of them needs. */
export function neededByEach(
  inventory: Inventory,
  roots: Iterable<Digest>,
  visit: (root: Digest, needs: ReadonlySet<Digest>) => void,
): void {
  const { held, numbers, parts, attached, subjects } = numbered(inventory);
  for (const root of roots) {
    const number = numbers.get(root);
    const needs = new Set(number === undefined ? [] : [number]);
    // A set yields what is added while it is gone through.
    for (const by of needs) {
      for (const part of parts[by]!) needs.add(part);
      for (const one of attached.get(by) ?? []) needs.add(one.number);
      for (const subject of subjects.get(by) ?? []) needs.add(subject);
    }
    visit(root, new Set(Array.from(needs, (one) => held[one]!.digest)));
  }
}
