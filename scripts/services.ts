// Writes the tables of docs/guide/services.md from the data of src/provider; with --check says whether they are up to date.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { abilityTitles, type AbilityName, type ServiceAbility } from "../src/provider/abilities.ts";
import { describeQuirks } from "../src/provider/describe.ts";
import type { Provider } from "../src/provider/provider.ts";
import { providers } from "../src/provider/providers.ts";

const file = join(import.meta.dirname, "..", "docs/guide/services.md");
const names = Object.keys(abilityTitles) as readonly AbilityName[];
const words = { native: "native", protocol: "protocol", client: "client", impossible: "–" };

const guide = await readFile(file, "utf8");
const parts = {
  abilities: table(
    ["", ...providers.map(({ title }) => title)],
    names.map((name) => [abilityTitles[name], ...providers.map(({ abilities }) => words[abilities[name].how])]),
  ),
  services: providers.map(section).join("\n"),
};
const text = Object.entries(parts).reduce(inPlace, guide);
if (!process.argv.includes("--check")) await writeFile(file, text);
else if (text !== guide) {
  console.error("docs/guide/services.md is not what src/provider is: run node scripts/services.ts");
  process.exitCode = 1;
}

/** Puts a part between its two marks. */
function inPlace(whole: string, [name, part]: readonly [string, string]): string {
  const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`);
  if (!marks.test(whole)) throw new Error(`docs/guide/services.md has no place for ${name}`);
  return whole.replace(marks, (_, before: string, after: string) => `${before}${part}${after}`);
}

function section({ title, name, hosts, quirks, abilities }: Provider): string {
  return [
    `### ${title[0]!.toUpperCase()}${title.slice(1)}\n`,
    `\`${name}\`${hosts.length > 0 ? `: ${hosts.map((host) => `\`${host}\``).join(", ")}` : ""}\n`,
    ...describeQuirks(quirks).map((line) => `- ${line}`),
    "",
    table(
      ["", "how", "", "tested"],
      names.map((one) => [
        abilityTitles[one],
        words[abilities[one].how],
        remark(abilities[one]),
        abilities[one].tested,
      ]),
    ),
  ].join("\n");
}

function remark({ note, instead }: ServiceAbility): string {
  return note ?? instead ?? "";
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return [titles, titles.map(() => "---"), ...rows].map(escaped).join("");
}
