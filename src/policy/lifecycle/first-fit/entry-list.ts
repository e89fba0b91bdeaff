import type { TagPattern } from "../tag-pattern.ts";
import type { Entry } from "./target.ts";

/** The entries for one deletion, as they are put together. */
export interface EntryList {
  /** Whether what fits this is decided: by entries of other deletions before, or as all of it is kept. */
  readonly isSettled: (pattern: TagPattern) => boolean;
  /** Whether what fits none of these patterns, and nothing else, is what is left, but for what is kept whole. */
  readonly isExactly: (others: readonly TagPattern[]) => boolean;
  readonly add: (patterns: readonly TagPattern[], keeps: Entry["keeps"]) => void;
  /** Adds an entry that keeps all, before those that do not. */
  readonly addFirst: (patterns: readonly TagPattern[]) => void;
  /** Whether one of them is for all tags that are left. */
  readonly isForAll: () => boolean;
  readonly all: () => readonly Entry[];
}

/** A list that comes after other entries. */
export function entryList(before: readonly Entry[]): EntryList {
  const [first, entries]: [Entry[], Entry[]] = [[], []];
  const keysOf = (some: readonly Entry[]): readonly string[] => some.flatMap(({ patterns }) => patterns.map(keyOf));
  const known = (): ReadonlySet<string> => new Set(keysOf([...before, ...first, ...entries]));
  return {
    isSettled: (pattern) => keysOf([...before, ...first]).includes(keyOf(pattern)),
    isExactly(others) {
      const keys = new Set(others.map(keyOf));
      const here = known();
      return [...keys].every((key) => here.has(key)) && keysOf(entries).every((key) => keys.has(key));
    },
    add: (patterns, keeps) => void entries.push({ patterns: patterns.map(plain), keeps }),
    addFirst: (patterns) => void first.push({ patterns: patterns.map(plain), keeps: "always" }),
    isForAll: () => entries.some(({ patterns }) => patterns.length === 0),
    all: () => [...first, ...entries],
  };
}

/** A pattern for what it says, whether it is negated or not. */
const plain = ({ kind, text }: TagPattern): TagPattern => ({ kind, text });

const keyOf = (pattern: TagPattern): string => JSON.stringify(plain(pattern));
