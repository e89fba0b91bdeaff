import { abilityTitles, describeQuirks, knownProviders, type AbilityName, type Provider } from "../index.ts";
import type { Cli } from "./cli.ts";
import { long } from "./options.ts";
import { fields } from "./render/table.ts";
import { paint, type Look } from "./render/text.ts";

/** A service, for people and programs: what can be done there, and in what it differs. */
interface ServiceEntry {
  readonly service: string;
  readonly title: string;
  readonly hosts: readonly string[];
  readonly abilities: Readonly<Record<AbilityName, Provider["abilities"][AbilityName]>>;
  readonly quirks: readonly string[];
}

const names = Object.keys(abilityTitles) as AbilityName[];

/** Writes all services that are known. */
export async function writeServices({ get, out }: Cli): Promise<void> {
  const entries = (await knownProviders()).map(({ name, title, hosts, abilities, quirks }): ServiceEntry => ({
    service: name,
    title,
    hosts,
    abilities,
    quirks: describeQuirks(quirks),
  }));
  await out.list(each(entries), (entry, look) => serviceText(entry, get(long), look));
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}

function serviceText({ service, title, hosts, abilities, quirks }: ServiceEntry, all: boolean, look: Look): string {
  const doing = (how: string): string =>
    names
      .filter((name) => abilities[name].how === how)
      .map((name) => abilityTitles[name])
      .join(", ");
  const lines = all
    ? names.map((name): [string, string] => [abilityTitles[name], abilityText(abilities[name])])
    : ([
        ["its own API", doing("native")],
        ["any registry's", doing("protocol")],
        ["from those two", doing("client")],
        ["not there", doing("impossible")],
      ] as const);
  const [first = "", ...rest] = quirks;
  return [
    `${paint(look, "bold", service)}  ${title}\n`,
    fields(
      [["hosts", hosts.join(", ") || "any that the configuration says, or that is known by its answers"]],
      look,
      "  ",
    ),
    fields([...lines, ["quirks", first], ...rest.map((line): [string, string] => [" ", line])], look, "  "),
    "\n",
  ].join("");
}

const ways = {
  native: "by its own API",
  protocol: "as any registry does",
  client: "by what those tell",
  impossible: "no",
};

function abilityText({ how, note, instead }: Provider["abilities"][AbilityName]): string {
  return [ways[how], note, instead].filter((part) => part !== undefined).join("; ");
}
