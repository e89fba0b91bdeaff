import { RegistryError } from "../oci/error.ts";

/** A line and column of a text, from 1 on. */
export interface At {
  readonly line: number;
  readonly column: number;
}

/** What is wrong in a configuration, and where. */
export interface Fault {
  /** The file, or the environment variable. */
  readonly source: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

const mostTold = 20;

/** A fault in one line: `FILE:LINE:COLUMN: what is wrong`. */
export function formatFault({ source, line, column, message }: Fault): string {
  return `${[source, line, column].filter((part) => part !== undefined).join(":")}: ${message}`;
}

/** Faults as one INVALID that tells all of them; of more than twenty, the first. Its cause has them as `faults`. */
export function faultsError(faults: readonly Fault[]): RegistryError {
  const [first] = faults;
  const told = faults.slice(0, mostTold).map(faults.length === 1 ? formatFault : inList);
  const more = faults.length > mostTold ? [`and ${faults.length - mostTold} more`] : [];
  const hint = faults.length === 1 ? first?.hint : "gantry config validate lists them";
  const cause = Object.assign(new Error("the configuration is not right"), { faults });
  return new RegistryError("INVALID", [...told, ...more].join("; "), { cause, ...(hint && { hint }) });
}

function inList(fault: Fault): string {
  return formatFault(fault) + (fault.hint ? ` (${fault.hint})` : "");
}

/** The name that a misspelt one may have been meant as. */
export function nearest(written: string, names: readonly string[]): string | undefined {
  const bare = (name: string): string => name.replace(/[-_]/g, "").toLowerCase();
  const [best] = names
    .map((name) => ({ name, away: distance(bare(written), bare(name)) }))
    .filter(({ name, away }) => away <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.away - b.away);
  return best?.name;
}

/** How many letters have to be put in, taken out, changed or swapped with the next. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 4) return Number.POSITIVE_INFINITY;
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : changed;
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, changed, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
