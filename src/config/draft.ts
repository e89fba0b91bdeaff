import type { At, Fault } from "./fault.ts";
import type { Where } from "./kind.ts";
import { settingName, type Setting } from "./setting.ts";

/** Where a text is from, and what it may say. */
export interface Origin {
  /** The file, or the variable. */
  readonly source: string;
  /** Whether lines are told: a variable has but one. */
  readonly lines: boolean;
  readonly where: Where;
  /** Puts variables in; without it, dollars stand for themselves. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Set for a project file; says whether its directory is trusted, or how to have that. */
  readonly project?: { readonly trusted: boolean; readonly hint: string };
}

/** What a text says, and what is wrong with it. */
export interface Level {
  readonly settings: readonly Setting[];
  readonly faults: readonly Fault[];
  /** The names of secrets that stand there in clear. */
  readonly secrets: readonly string[];
}

/** A level while it is being read. */
export interface Draft {
  readonly origin: Origin;
  readonly level: Level;
  fault(at: At, message: string, hint?: string): void;
  /** Takes a value; `unit` where it belongs to an entry that counts as a whole. */
  settle(
    at: At,
    path: readonly string[],
    unit: string | undefined,
    value: Pick<Setting, "value" | "written" | "shown">,
  ): void;
  secret(name: string): void;
}

/** Begins to read a level. */
export function draftOf(origin: Origin): Draft {
  const { source, lines } = origin;
  const [settings, faults, secrets]: [Setting[], Fault[], string[]] = [[], [], []];
  return {
    origin,
    level: { settings, faults, secrets },
    fault: ({ line, column }, message, hint) =>
      void faults.push({ source, ...(lines && { line, column }), message, ...(hint && { hint }) }),
    settle({ line }, path, unit, value) {
      const name = settingName(path);
      settings.push({ path, name, ...value, origin: lines ? `${source}:${line}` : source, unit: unit ?? name });
    },
    secret: (name) => void secrets.push(name),
  };
}
