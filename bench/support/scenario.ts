import type { Report } from "./report.ts";

/** How a scenario is run. */
export interface Settings {
  /** How often each contender is measured. */
  readonly runs: number;
  /** With little data, only to see that all works. */
  readonly quick: boolean;
  /** Tells how far it has come. */
  readonly log: (line: string) => void;
}

/** Something that is measured, beside the peers that do the same. */
export interface Scenario {
  readonly name: string;
  /** What is done, on what: a sentence above its tables. */
  readonly about: string;
  /** How often each contender is measured unless told otherwise. */
  readonly runs: number;
  readonly run: (settings: Settings) => Promise<Report>;
}
