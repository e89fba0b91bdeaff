// Writes docs/cli from the table of commands; with --check says whether what is there is up to date.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { groups, type Command } from "../src/cli/command.ts";
import { allCommands } from "../src/cli/commands.ts";
import { exitCodes, type ExitName } from "../src/cli/exit-codes.ts";
import type { Option } from "../src/cli/option.ts";
import { argumentTerm } from "../src/cli/parse.ts";
import { shapes, type Shape } from "../src/cli/shapes.ts";

const folder = join(import.meta.dirname, "..", "docs", "cli");
const shown = allCommands().filter((command) => !command.hidden);
const pages = new Map([
  ["README.md", overview()],
  ...shown.map((command) => [fileOf(command), page(command)] as const),
]);

if (process.argv.includes("--check")) {
  const stale = await staleFiles();
  if (stale.length > 0) {
    console.error(`docs/cli is not what the commands are: ${stale.join(", ")}: run node scripts/docs.ts`);
    process.exitCode = 1;
  }
} else {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, text] of pages) await writeFile(join(folder, name), text);
}

async function staleFiles(): Promise<string[]> {
  const there = await readdir(folder).catch(() => []);
  const wrong: string[] = [];
  for (const [name, text] of pages) {
    if ((await readFile(join(folder, name), "utf8").catch(() => "")) !== text) wrong.push(name);
  }
  return [...wrong, ...there.filter((name) => !pages.has(name))];
}

function fileOf({ name }: Command): string {
  return `${name.replaceAll(" ", "-")}.md`;
}

function overview(): string {
  const lists = groups.map((group) => {
    const rows = shown
      .filter((command) => command.group === group)
      .map((command) => `| [\`gantry ${command.name}\`](${fileOf(command)}) | ${command.summary} |`);
    return `## ${group}\n\n| command | |\n|---|---|\n${rows.join("\n")}\n`;
  });
  return `# The commands

Made from the table that the program itself reads: \`node scripts/docs.ts\`.

${lists.join("\n")}
## Output

Results go to stdout, everything else to stderr. \`--format\` chooses how a result is written:

- \`table\`: for people; the default.
- \`json\`, \`yaml\`: one value; \`ndjson\`: one value a line, lists item by item as they come. Each command's page shows its shape.
- a template, in the small part of Go's language that Docker's users know: \`{{.digest}}\`, \`{{.a.b}}\`, \`{{json .a}}\`,
  \`{{range .list}}...{{end}}\`, with \`\\n\` and \`\\t\`. For a list, it is written for each item.

With \`--format json\` or \`ndjson\`, an error is a line of JSON on stderr: \`{"error": {"code", "message", "tried", "side",
"host", "status", "credential", "likely", "hint", "next"}}\`, of which only the first two are always there.

Progress goes to stderr: bars on a terminal, elsewhere a line for each image and a sign of life every ten seconds;
\`--progress json\` writes events as JSON lines. \`NO_COLOR\` and \`TERM=dumb\` turn colours off, \`FORCE_COLOR\` turns them on.

## Exit codes

| code | means |
|---|---|
${Object.values(exitCodes)
  .map(({ code, means }) => `| ${code} | ${means} |`)
  .join("\n")}
`;
}

function page(command: Command): string {
  const words = ["gantry", command.name, "[options]", ...(command.arguments ?? []).map(argumentTerm)].join(" ");
  const sections = [
    `# gantry ${command.name}\n`,
    `${command.summary[0]!.toUpperCase()}${command.summary.slice(1)}.\n`,
    `    ${words}\n`,
    command.aliases ? `Also: ${command.aliases.map((alias) => `\`gantry ${alias}\``).join(", ")}\n` : "",
    command.details ? `${command.details}\n` : "",
    argumentTable(command),
    optionTables(command),
    `## Examples\n\n${command.examples.map(({ note, line }) => `    # ${note}\n    ${line}\n`).join("\n")}`,
    resultShape(command),
    endings(command),
  ];
  return sections.filter(Boolean).join("\n");
}

function argumentTable({ arguments: list = [] }: Command): string {
  if (list.length === 0) return "";
  const rows = list.map((argument) => `| \`${argumentTerm(argument)}\` | ${argument.summary} |`);
  return `## Arguments\n\n| argument | |\n|---|---|\n${rows.join("\n")}\n`;
}

function optionTables({ options }: Command): string {
  const headings = [...new Set(options.map((option) => option.heading ?? "Options:"))];
  const table = (heading: string): string => {
    const rows = options.filter((option) => (option.heading ?? "Options:") === heading).map(optionRow);
    return `## ${heading.replace(":", "")}\n\n| option | |\n|---|---|\n${rows.join("\n")}\n`;
  };
  return headings.map(table).join("\n");
}

function optionRow({ flags, summary, also }: Option): string {
  const escaped = (text: string): string => text.replaceAll("|", "\\|");
  const others = also ? ` (also \`${also.map((one) => one.flags).join("`, `")}\`)` : "";
  return `| \`${escaped(flags)}\` | ${escaped(summary)}${escaped(others)} |`;
}

function resultShape({ name }: Command): string {
  const shape = shapes[name];
  return shape === undefined
    ? ""
    : `## Result\n\nWith \`--format json\`; names with a question mark may be missing.\n\n\`\`\`\n${shapeText(shape, "")}\n\`\`\`\n`;
}

function shapeText(shape: Shape, indent: string): string {
  if (typeof shape === "string") return shape;
  if (Array.isArray(shape)) return `[ ${shapeText((shape as readonly [Shape])[0], indent)}, ... ]`;
  const lines = Object.entries(shape).map(([name, value]) => `${indent}  ${name}: ${shapeText(value, `${indent}  `)}`);
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function endings({ endings: names = [], name }: Command): string {
  const usual: ExitName[] =
    name === "version" || name === "completion" ? ["done", "usage"] : ["done", "failed", "usage"];
  const rows = [...usual, ...names].map((one) => `| ${exitCodes[one].code} | ${exitCodes[one].means} |`);
  return `## Exit codes\n\n| code | |\n|---|---|\n${rows.join("\n")}\n`;
}
