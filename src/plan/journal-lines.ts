import * as v from "valibot";
import { checked, faultyDocument } from "../document/document.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { Ending } from "./act.ts";
import type { Before } from "./before.ts";
import { planKinds, type Plan, type PlanKind, type Step } from "./plan.ts";
import { count, digest, digestOfPlan, moment, patterns, stepSchema, tagsState, text, texts } from "./schema.ts";

/** The first line of a journal, and of each time that its plan was applied again: whose it is. */
export interface JournalHeader {
  readonly line: "plan";
  readonly version: 1;
  /** Of the plan, as `formatPlan` writes it. */
  readonly digest: Digest;
  readonly kind: PlanKind;
  /** When the plan was made. */
  readonly made: string;
}

/** A line of a journal. Where a step begins again, it was stopped before, or failed. */
export type JournalLine =
  | JournalHeader
  | { readonly line: "begin"; readonly step: Step; readonly before: Before }
  | ({ readonly line: "end"; readonly id: string } & Omit<Ending, "error">);

/** A journal, read: for each step that was begun, each time that it was. */
export interface JournalRecord extends JournalHeader {
  readonly steps: readonly { readonly step: Step; readonly tries: readonly Try[] }[];
}

/** What was there before a step, and how it ended, unless it was stopped. */
export interface Try {
  readonly before: Before;
  readonly outcome?: Ending["outcome"];
  readonly changed?: false;
  readonly digest?: Digest;
}

const rules = v.strictObject({ tags: tagsState, except: v.exactOptional(texts), patterns: v.exactOptional(patterns) });

const before = v.strictObject({
  tag: v.exactOptional(v.nullable(digest)),
  manifest: v.exactOptional(
    v.strictObject({ digest, mediaType: text, bytes: v.pipe(v.string(), v.base64("is no base64")) }),
  ),
  tags: v.exactOptional(texts),
  existed: v.exactOptional(v.boolean()),
  immutability: v.exactOptional(rules),
});

const header = v.strictObject({
  line: v.literal("plan"),
  version: v.literal(1, "is a version that this Gantry does not know: it has to be 1"),
  digest,
  kind: v.picklist(planKinds),
  made: moment,
});

/** The form of a line of a journal. */
export const journalLineSchema: v.GenericSchema<unknown, JournalLine> = v.variant("line", [
  header,
  v.strictObject({ line: v.literal("begin"), step: stepSchema, before }),
  v.strictObject({
    line: v.literal("end"),
    id: text,
    outcome: v.picklist(["done", "already", "stale", "failed", "skipped"]),
    why: v.exactOptional(v.string()),
    bytes: v.exactOptional(count),
    changed: v.exactOptional(v.literal(false)),
    digest: v.exactOptional(digest),
  }),
]);

export function headerOf(plan: Plan): JournalHeader {
  return { line: "plan", version: 1, digest: digestOfPlan(plan), kind: plan.kind, made: plan.made };
}

export function formatLine(line: JournalLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** Reads one line. Throws INVALID naming the journal and the line. */
export function parseLine(name: string, number: number, line: string): JournalLine {
  const place = `${name}:${number}`;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new RegistryError("INVALID", `${place}: this is no line of a journal`, { cause });
  }
  return checked(journalLineSchema, { name: place, value });
}

/** Puts the lines of a journal together; undefined where there are none. Throws INVALID for one that does not begin as a journal does. */
export async function readLines(name: string, lines: AsyncIterable<string>): Promise<JournalRecord | undefined> {
  let header: JournalHeader | undefined;
  const steps = new Map<string, { readonly step: Step; readonly tries: Try[] }>();
  /** The steps that were begun in this run, and have not ended. */
  const open = new Set<string>();
  let number = 0;
  for await (const text of lines) {
    number += 1;
    const line = parseLine(name, number, text);
    if (line.line === "plan") {
      if (header && header.digest !== line.digest) throw fault("digest", "the journal is of another plan further up");
      header = line;
      open.clear();
    } else if (!header) {
      throw fault("line", "a journal begins with the plan that it is of");
    } else if (line.line === "begin") {
      const { step, before: found } = line;
      const known = steps.get(step.id) ?? { step, tries: [] };
      known.tries.push({ before: found });
      steps.set(step.id, known);
      open.add(step.id);
    } else if (open.delete(line.id)) {
      const { tries } = steps.get(line.id)!;
      const { outcome, changed, digest: made } = line;
      tries.push({ ...tries.pop()!, outcome, ...(changed === false && { changed }), ...(made && { digest: made }) });
    }
  }
  return header && { ...header, steps: [...steps.values()] };

  function fault(path: string, message: string): RegistryError {
    return faultyDocument({ name: `${name}:${number}`, value: undefined }, [{ path: [path], message }]);
  }
}
