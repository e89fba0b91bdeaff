import { readSize } from "../../config/quantity.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseReference } from "../../oci/reference.ts";
import { formatSize } from "../../text/text.ts";
import type { BudgetFile, LimitsFile } from "./sync-file.ts";

/** Bytes and pulls. */
export interface Limits {
  readonly bytes?: number;
  readonly pulls?: number;
}

/** How much one run may move: in all, counted where it is read, and to and from registries, by their names in references. */
export interface Budget extends Limits {
  readonly registries: ReadonlyMap<string, Limits>;
}

/** Reads what a file says of it. */
export function budgetOf({ registries = {}, ...all }: BudgetFile): Budget {
  const named = Object.entries(registries).map(([name, one]) => [registryNamed(name)!, limitsOf(one)] as const);
  return { ...limitsOf(all), registries: new Map(named) };
}

const limitsOf = ({ bytes, pulls }: LimitsFile): Limits => ({
  ...(bytes !== undefined && { bytes: readSize(bytes)! }),
  ...(pulls !== undefined && { pulls }),
});

/** A registry's name as references have it; undefined where it is none. */
export function registryNamed(host: string): string | undefined {
  try {
    return host.includes("/") ? undefined : parseReference(`${host}/any/any`).registry;
  } catch {
    return undefined;
  }
}

/** What an image is made of, by digest, in bytes; or why nobody can tell. */
export type Weight = ReadonlyMap<Digest, number> | { readonly failed: string };

/** A copy that is to be paid for. */
export interface Load {
  /** The image at its source: it is pulled once for all its destinations. */
  readonly image: string;
  readonly from?: string;
  readonly to?: string;
  readonly pulls: number;
  /** Undefined where it was not weighed yet. */
  readonly weight?: Weight;
}

/** Whether a budget has room; `unweighed` where that hangs on what the image weighs. */
export type Verdict =
  | { readonly taken: true; readonly bytes?: number }
  | { readonly later: string }
  | { readonly never: string }
  | { readonly unweighed: true };

interface Account {
  /** Whose it is, in words. */
  readonly of: string;
  readonly limits: Limits;
  /** Whether pulls from a source count in it. */
  readonly counts: (from: string | undefined) => boolean;
  readonly paid: Set<string>;
  readonly spent: { bytes: number; pulls: number };
  readonly closed: Set<keyof Limits>;
}

/**
 * Pays for copies out of a budget, in the order that it is asked. What does not fit closes the account for all that costs
 * anything, so that nothing small goes before something large for ever. Without a budget there is room for all.
 */
export function ledger(budget: Budget | undefined, counted: ReadonlySet<string>): (load: Load) => Verdict {
  if (!budget) return () => ({ taken: true });
  const account = (of: string, limits: Limits, counts: Account["counts"]): Account => ({
    of,
    limits,
    counts,
    paid: new Set(),
    spent: { bytes: 0, pulls: 0 },
    closed: new Set(),
  });
  const run = account("the run", budget, (from) => from !== undefined && counted.has(from));
  const own = new Map(
    [...budget.registries].map(([name, limits]) => [name, account(name, limits, (from) => from === name)]),
  );
  return (load) => {
    const ends = [...new Set([load.from, load.to])].flatMap((name) => own.get(name ?? "") ?? []);
    const accounts = [run, ...ends];
    const weighs = accounts.some(({ limits }) => limits.bytes !== undefined);
    // What is weighed is read for that once more.
    const pulls = load.pulls * (weighs ? 2 : 1);
    const costs = accounts.map((one) => ({ one, cost: costIn(one, load, pulls) }));
    for (const { one, cost } of costs) {
      const stop = refusal(one, "pulls", cost.pulls);
      if (stop) return stop;
    }
    if (weighs && load.weight && "failed" in load.weight)
      return { never: `it cannot be weighed: ${load.weight.failed}` };
    for (const { one, cost } of costs) {
      const stop =
        one.limits.bytes === undefined
          ? undefined
          : cost.bytes === undefined
            ? unweighed(one)
            : refusal(one, "bytes", cost.bytes);
      if (!stop) continue;
      // No more is weighed than there are pulls for: one that is asked for has its own put by.
      if ("unweighed" in stop) for (const each of costs) pay(each.one, load, { ...each.cost, bytes: 0 });
      return stop;
    }
    for (const { one, cost } of costs) pay(one, load, cost);
    const bytes = costs.at(-1)!.cost.bytes;
    return { taken: true, ...(weighs && bytes && { bytes }) };
  };
}

type Cost = { readonly pulls: number; readonly bytes: number | undefined };

function costIn({ counts, paid }: Account, { image, from, weight }: Load, pulls: number): Cost {
  const parts = weight && !("failed" in weight) ? [...weight] : undefined;
  const bytes = parts?.reduce((sum, [digest, size]) => sum + (paid.has(digest) ? 0 : size), 0);
  return { pulls: counts(from) && !paid.has(image) ? pulls : 0, bytes };
}

function unweighed({ closed, of, limits }: Account): Verdict {
  return closed.has("bytes") ? { later: spentText(of, "bytes", limits) } : { unweighed: true };
}

/** Why an account does not pay; undefined where it does. */
function refusal({ of, limits, spent, closed }: Account, what: keyof Limits, cost: number): Verdict | undefined {
  const limit = limits[what];
  if (limit === undefined || cost === 0) return undefined;
  if (cost > limit)
    return { never: `it takes ${amount(what, cost)}, and the budget of ${of} is ${amount(what, limit)}` };
  if (!closed.has(what) && spent[what] + cost <= limit) return undefined;
  closed.add(what);
  return { later: spentText(of, what, limits) };
}

function pay({ paid, spent }: Account, { image, weight }: Load, { pulls, bytes = 0 }: Cost): void {
  spent.pulls += pulls;
  spent.bytes += bytes;
  paid.add(image);
  if (weight && !("failed" in weight)) for (const digest of weight.keys()) paid.add(digest);
}

const spentText = (of: string, what: keyof Limits, limits: Limits): string =>
  `the budget of ${of} is ${amount(what, limits[what]!)}`;

const amount = (what: keyof Limits, of: number): string =>
  what === "bytes" ? formatSize(of) : `${of} pull${of === 1 ? "" : "s"}`;
