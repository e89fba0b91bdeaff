import { RegistryError, type SettingKey } from "../index.ts";
import type { Completes } from "./command.ts";

/** What the parser found: texts (the last counts where one is asked for), whether a flag was given, or nothing. */
export type Given = readonly string[] | boolean | undefined;

/** An option as data, and the key by which a body asks for its value. */
export interface Option<T = unknown> {
  /** As commander writes them: `-j, --jobs <count>`. */
  readonly flags: string;
  readonly summary: string;
  /** Turns what was typed into the value; throws INVALID. */
  readonly read: (given: Given) => T;
  /** May be given several times. */
  readonly many?: boolean;
  readonly completes?: Completes;
  /** What other tools call it: accepted and not shown. A flag there stands for `value` here. */
  readonly also?: readonly { readonly flags: string; readonly value?: string }[];
  /** The heading in help. */
  readonly heading?: string;
  /** Help shows it only with -v. */
  readonly rare?: true;
  /** The key of the configuration that counts where the option is not given. */
  readonly setting?: SettingKey;
  /** What is shown in place of its value, which is never repeated whole. */
  readonly secret?: string | ((value: string) => string);
}

/** Gives the value of an option. */
export type Get = <T>(option: Option<T>) => T;

type More = Pick<Option, "completes" | "also" | "heading" | "setting" | "secret" | "rare">;

/** An option that is there or not. The parser takes `--no-...` for the opposite of an option without `no`. */
export function flag(flags: string, summary: string, more: More = {}): Option<boolean> {
  const given = !flags.includes("--no-");
  return { flags, summary, ...more, read: (found) => found === given };
}

/** A `--no-...` option that takes something away: true unless given. */
export function unless(flags: string, summary: string, more: More = {}): Option<boolean> {
  return { flags, summary, ...more, read: (found) => found !== false };
}

/** An option with a value, undefined where it is not given. */
export function value<T>(
  flags: string,
  summary: string,
  parse: (text: string) => T,
  more: More = {},
): Option<T | undefined> {
  return { flags, summary, ...more, read: (given) => (Array.isArray(given) ? parse(given.at(-1)) : undefined) };
}

/** An option with values: repeated, or in one with commas where `separator` says so. */
export function values<T>(
  flags: string,
  summary: string,
  parse: (text: string) => T,
  { separator, ...more }: More & { readonly separator?: "," } = {},
): Option<readonly T[]> {
  const split = (text: string): readonly string[] => {
    if (!separator) return [text];
    const parts = text.split(separator).filter(Boolean);
    // A variable that is empty in a script asked for some, not for all.
    if (parts.length === 0) throw new RegistryError("INVALID", `${JSON.stringify(text)} names none`);
    return parts;
  };
  return {
    flags,
    summary,
    ...more,
    many: true,
    read: (given) => (Array.isArray(given) ? given.flatMap(split).map((text) => parse(text)) : []),
  };
}

/** The long name of an option, without dashes: what an attribute or a message calls it. */
export function longName(flags: string): string {
  return /--([a-z][a-z-]*)/.exec(flags)?.[1] ?? flags;
}
