// Writes the JSON Schemas of Gantry's documents into schemas/ from the schemas that they are read by; with --check says
// whether they are up to date.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { journalLineSchema } from "../src/plan/journal-lines.ts";
import { count, digest, planSchema } from "../src/plan/schema.ts";
import { retentionSchema } from "../src/policy/retain/schema.ts";
import { syncFileSchema } from "../src/policy/sync/schema.ts";

const folder = join(import.meta.dirname, "../schemas");
const documents: Readonly<Record<string, { readonly title: string; readonly schema: GenericSchema }>> = {
  plan: { title: "A plan of Gantry: gantry apply PLAN", schema: planSchema },
  retain: { title: "A policy for retention of Gantry's own: gantry retain --policy FILE", schema: retentionSchema },
  sync: { title: "What Gantry keeps in sync: gantry sync FILE", schema: syncFileSchema },
  journal: { title: "A line of the journal of a plan: gantry undo JOURNAL", schema: journalLineSchema },
};

/** What only code can check, as far as JSON Schema can say it. */
const said = new Map<unknown, object>([
  [digest, { type: "string", pattern: "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$" }],
  [count, { type: "integer", minimum: 0 }],
]);

await mkdir(folder, { recursive: true });
for (const [name, { title, schema }] of Object.entries(documents)) {
  const file = join(folder, `${name}.json`);
  const text = textOf(title, schema);
  if (!process.argv.includes("--check")) {
    await writeFile(file, text);
  } else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
    console.error(`schemas/${name}.json is not what the schema is: run node scripts/schemas.ts`);
    process.exitCode = 1;
  }
}

function textOf(title: string, schema: GenericSchema): string {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    ignoreActions: ["check", "raw_check"],
    overrideSchema: ({ valibotSchema }) => said.get(valibotSchema),
  });
  const json = { $schema: "https://json-schema.org/draft/2020-12/schema", title, ...rest };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}
