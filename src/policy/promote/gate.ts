import type { Digest } from "../../oci/digest.ts";
import { attachedKinds } from "../../graph/attached-kinds.ts";

/** What has to pass before an image may be promoted. */
export interface Gate {
  readonly name: string;
  /** Looks at an image; a gate that cannot tell has not passed. */
  check(subject: Subject, call?: { readonly signal?: AbortSignal }): Promise<GateResult>;
}

export interface GateResult {
  /** The gate's name: `age`, `requires signature`, `command smoke`. */
  readonly gate: string;
  readonly passed: boolean;
  /** One line. */
  readonly message: string;
  /** When it was looked at: RFC 3339, UTC. */
  readonly when?: string;
}

/** The image that gates look at. */
export interface Subject {
  /** Where it is: with its digest. */
  readonly reference: string;
  readonly digest: Digest;
  readonly stage: string;
  /** Where it is to go: a repository, and the tags there. */
  readonly to: string;
  readonly tags: readonly string[];
  /** Since when it is what is to be promoted: its receipt of the stage before, else its build. Milliseconds since 1970. */
  readonly since?: { readonly time: number; readonly what: string };
  /** What is attached to it, by kind and by artifact type. */
  readonly attached: ReadonlySet<string>;
  /** The stage that has to have it first, and whether that has. */
  readonly before?: { readonly stage: string; readonly has: boolean };
}

/** What the configuration says of a stage's gates. */
export interface GateSettings {
  /** Milliseconds. */
  readonly age?: number;
  readonly requires?: readonly string[];
  /** Who may approve; `*` is anybody. */
  readonly approval?: readonly string[];
  readonly commands?: Readonly<Record<string, readonly string[]>>;
  /** How long one command may take, in milliseconds; 5 minutes. */
  readonly timeout?: number;
}

/** What gates are made with. */
export interface GateContext {
  readonly now: Date;
  /** Those who approve of this promotion. */
  readonly approvals: readonly string[];
  /** Gates beside those of the configuration: for programs that have policies of their own. */
  readonly more?: readonly Gate[];
  /** Runs a command of a gate; without, such a gate does not pass. */
  readonly run?: (name: string, words: readonly string[], timeout: number) => Gate;
}

const timeout = 5 * 60_000;
/** How much of what a gate says goes into a receipt. */
const mostWords = 500;

/** The kinds of gates, by the key of the configuration: one that is to come is a line here. */
const makers: Readonly<
  Record<keyof Omit<GateSettings, "timeout">, (settings: GateSettings, context: GateContext) => readonly Gate[]>
> = {
  age: ({ age }, { now }) => (age === undefined ? [] : [ageGate(age, now)]),
  requires: ({ requires = [] }) => requires.map(attachedGate),
  approval: ({ approval }, { approvals }) => (approval ? [approvalGate(approval, approvals)] : []),
  commands: ({ commands = {}, timeout: limit = timeout }, { run }) =>
    Object.entries(commands).map(
      ([name, words]) =>
        run?.(name, words, limit) ?? told(`command ${name}`, () => [false, "nothing here runs commands"]),
    ),
};

/** The gates of a stage, in the order that they are looked at: those that need nothing done first. */
export function gatesOf(settings: GateSettings, context: GateContext): readonly Gate[] {
  const configured = Object.values(makers).flatMap((make) => make(settings, context));
  return [orderGate, ...(context.more ?? []), ...configured];
}

/** Looks at the gates one by one. Once one has not passed, commands are not run any more. */
export async function passGates(
  gates: readonly Gate[],
  subject: Subject,
  { now, ...call }: { readonly now: () => Date; readonly signal?: AbortSignal },
): Promise<readonly GateResult[]> {
  const results: GateResult[] = [];
  for (const gate of gates) {
    if (gate.name.startsWith("command ") && results.some(({ passed }) => !passed)) continue;
    const result = await gate.check(subject, call);
    results.push({ ...result, message: result.message.slice(0, mostWords), when: now().toISOString() });
  }
  return results.filter(({ message }) => message !== "");
}

/** A gate that only looks at what is known. */
function told(name: string, look: (subject: Subject) => readonly [passed: boolean, message: string]): Gate {
  return {
    name,
    async check(subject) {
      const [passed, message] = look(subject);
      return { gate: name, passed, message };
    },
  };
}

/** The stage before has to have the image; a stage that is the first has no such gate's result. */
const orderGate: Gate = told("from", ({ before }) => {
  if (!before) return [true, ""];
  return [before.has, before.has ? `${before.stage} has it` : `${before.stage} does not have it`];
});

function ageGate(least: number, now: Date): Gate {
  return told("age", ({ since, before }) => {
    if (!since)
      return [false, before ? `no receipt tells when it came to ${before.stage}` : "nothing tells how old it is"];
    const age = now.getTime() - since.time;
    if (age < 0) return [false, `${since.what} in the future: ${new Date(since.time).toISOString()}`];
    const words = `${since.what} ${spanWords(age)} ago`;
    return age >= least ? [true, words] : [false, `${words}, and it has to be ${spanWords(least)}`];
  });
}

function attachedGate(wanted: string): Gate {
  return told(`requires ${wanted}`, ({ attached }) => {
    if (attached.has(wanted)) return [true, "it is attached"];
    const known = attachedKinds.some((kind) => kind === wanted);
    return [false, `no ${known ? wanted : `artifact of type ${wanted}`} is attached`];
  });
}

function approvalGate(may: readonly string[], approvals: readonly string[]): Gate {
  const approved = approvals.filter((name) => may.includes("*") || may.includes(name));
  return told("approval", () => {
    if (approved.length > 0) return [true, `approved by ${approved.join(", ")}`];
    const who = may.includes("*") ? "somebody" : `one of ${may.join(", ")}`;
    return [false, `${who} has to approve: --approve NAME`];
  });
}

/** A span in its two largest units: `3d 4h`, `12m`. */
function spanWords(ms: number): string {
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1000, "s"],
  ] as const;
  const parts: string[] = [];
  let rest = ms;
  for (const [size, name] of units) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) parts.push(`${n}${name}`);
  }
  return parts.slice(0, 2).join(" ") || "0s";
}
