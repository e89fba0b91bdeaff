import { RegistryError } from "../../oci/error.ts";
import type {
  CopyImage,
  CreateRepository,
  DeleteManifest,
  DeleteTag,
  Kept,
  Note,
  SetTag,
  Step,
} from "../../plan/plan.ts";
import { ledger, type Load, type Verdict } from "./budget.ts";
import type { SyncRule } from "./parse.ts";
import type { SyncState, Wanted } from "./state.ts";

/** A step without its id. */
type Draft =
  | Omit<CopyImage, "id">
  | Omit<SetTag, "id">
  | Omit<CreateRepository, "id">
  | Omit<DeleteTag, "id">
  | Omit<DeleteManifest, "id">;

/** A plan of a sync, as far as it is made. */
export interface Planned {
  readonly steps: readonly Step[];
  readonly kept: Kept[];
  readonly notes: Note[];
  readonly now: Date;
  readonly state: SyncState;
  /** Adds a step, and answers its id. */
  add(step: Draft): string;
  refuse(rule: SyncRule, at: string, why: string): void;
  /** What each place is written with. */
  readonly writers: Map<string, Writer>;
  /** The steps by which repositories come about, by place. */
  readonly created: Map<string, string>;
  /** The copies to each place. */
  readonly copies: Map<string, string[]>;
  /** Tags that backups take, by place. */
  readonly taken: Set<string>;
  /** The pulls that are planned, by registry. */
  readonly pulls: Map<string, number>;
  /** Asks the budget for a copy. */
  readonly pay: (load: Load) => Verdict;
  /** How many copies are left for the next run, by the reason. */
  readonly later: Map<string, number>;
}

/** What writes a place. */
export interface Writer extends Pick<Wanted, "digest"> {
  readonly from: string;
  readonly rule: SyncRule;
}

/** Whether two write the same: one image, whole or the same of it. A tag that is not asked for has the digest that it has. */
export function isSame(one: Writer, other: Writer): boolean {
  const plain = ({ from }: Writer): string => from.replace(/@.*/, "");
  const image = one.digest && other.digest ? one.digest === other.digest : plain(one) === plain(other);
  return image && JSON.stringify(one.rule.platforms) === JSON.stringify(other.rule.platforms);
}

/** Nothing yet. */
export function plannedSteps(state: SyncState, now: Date): Planned {
  const steps: Step[] = [];
  const notes: Note[] = [];
  return {
    steps,
    kept: [],
    notes,
    now,
    state,
    add(step) {
      const id = String(steps.length + 1);
      steps.push({ id, ...step });
      return id;
    },
    refuse: ({ name }, at, why) => void notes.push({ level: "refused", at, rule: name, message: `${name}: ${why}` }),
    writers: new Map(),
    created: new Map(),
    copies: new Map(),
    taken: new Set(),
    pulls: new Map(),
    pay: ledger(state.routes.find(({ rule }) => rule.budget)?.rule.budget, state.counted ?? new Set()),
    later: new Map(),
  };
}

/** Two sources for one tag. */
export function clash(at: string, one: Writer, other: Writer): RegistryError {
  const both = `${one.from} (${one.rule.name}) and ${other.from} (${other.rule.name})`;
  return new RegistryError("INVALID", `${at} would be written with ${both}`, {
    hint: "give one of them another destination, with {repository}, {name} or {tag} in it",
  });
}
