// Writes gantry.schema.json and the tables of docs/guide/configuration.md from the schema of the configuration; with
// --check says whether they are up to date.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { settingOptions } from "../src/cli/setting-options.ts";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { schema, variableOf, type Entry, type Fields } from "../src/config/schema.ts";

const root = join(import.meta.dirname, "..");
const guide = await readFile(join(root, "docs/guide/configuration.md"), "utf8");
const { hosts, credentials, kubernetes, inUse, ...others } = schema;
const tables = {
  keys: table(["key", "what it wants", "default", "variable", "option", ""], keyRows(others)),
  hosts: fieldTable(hosts.entry.fields, "hosts"),
  credentials: fieldTable(credentials.entry.fields, "credentials"),
  inUse: fieldTable(inUse.fields, "inUse"),
  kubernetes: fieldTable(kubernetes.fields, "kubernetes"),
};
const files = {
  "gantry.schema.json": `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`,
  "docs/guide/configuration.md": Object.entries(tables).reduce(inPlace, guide),
};

if (process.argv.includes("--check")) {
  for (const [name, text] of Object.entries(files)) {
    if ((await readFile(join(root, name), "utf8")) === text) continue;
    console.error(`${name} is not what the schema is: run node scripts/configuration.ts`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
}

/** Puts a table between its two marks. */
function inPlace(text: string, [name, rows]: readonly [string, string]): string {
  const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`);
  if (!marks.test(text)) throw new Error(`docs/guide/configuration.md has no place for the table of ${name}`);
  return text.replace(marks, (_, before: string, after: string) => `${before}${rows}${after}`);
}

function keyRows(fields: Fields): string[][] {
  return Object.entries(fields).map(([key, entry]) => {
    const option = settingOptions.find(({ setting }) => setting === key)?.flags;
    return [
      `\`${key}\``,
      wants(entry),
      otherwise(entry),
      `\`${variableOf(key)}\``,
      option ? `\`${option}\`` : "",
      about(entry),
    ];
  });
}

function fieldTable(fields: Fields, above: string): string {
  const inherits = above === "kubernetes";
  const rows = Object.entries(fields).map(([key, entry]) => [
    `\`${key}\``,
    wants(entry),
    ...(inherits ? [otherwise(entry)] : []),
    about(entry),
  ]);
  return table(["key", "what it wants", ...(inherits ? ["default"] : []), ""], rows);
}

function wants(entry: Entry): string {
  if (entry.shape === "scalar") return entry.kind.wants;
  return entry.shape === "list" ? `a list: ${entry.item.wants}` : "a map";
}

function otherwise(entry: Entry): string {
  return entry.shape === "scalar" && entry.otherwise !== undefined ? `\`${entry.otherwise}\`` : "";
}

/** What a key is for; a star stands for what an untrusted project may not say. */
function about({ summary, guarded }: Entry): string {
  return `${summary}${guarded ? " \\*" : ""}`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return [titles, titles.map(() => "---"), ...rows].map(escaped).join("");
}
