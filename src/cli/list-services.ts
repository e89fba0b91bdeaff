import { abilityTitles, describeQuirks, knownProviders, type Abilities, type AbilityName } from "../index.ts";
import type { Cli } from "./cli.ts";
import { long } from "./options.ts";
import { foldedFields } from "./render/table.ts";
import { paint, type Look } from "./render/text.ts";

/** A service, for people and programs: what can be done there, and in what it differs. */
interface ServiceEntry {
  readonly service: string;
  readonly title: string;
  readonly hosts: readonly string[];
  readonly abilities: Abilities;
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
  await out.list(entries, (entry, look) => serviceText(entry, get(long), look));
}

function serviceText({ service, title, hosts, abilities, quirks }: ServiceEntry, all: boolean, look: Look): string {
  const [first = "", ...rest] = quirks;
  const pairs = [
    ["hosts", hosts.join(", ") || "whichever is said to be, or seen to be by its answers"],
    ...(all ? each(abilities) : summed(abilities)),
    ["quirks", first],
    ...rest.map((line) => ["", line] as const),
  ] as const;
  return `${paint(look, "bold", service)}  ${title}\n${foldedFields(pairs, look, "  ")}\n`;
}

type Pair = readonly [name: string, value: string];

/** How each thing is done. */
function each(abilities: Abilities): readonly Pair[] {
  return names.map((name) => {
    const { how, note, instead } = abilities[name];
    return [abilityTitles[name], [ways[how], note, instead].filter((part) => part !== undefined).join("; ")];
  });
}

/** What is done in each way. */
function summed(abilities: Abilities): readonly Pair[] {
  const done = (how: keyof typeof ways): string =>
    names
      .filter((name) => abilities[name].how === how)
      .map((name) => abilityTitles[name])
      .join(", ");
  return [
    ["by its own API", done("native")],
    ["as any registry", done("protocol")],
    ["worked out", done("client")],
    ["not there", done("impossible")],
  ];
}

const ways = {
  native: "by its own API",
  protocol: "as any registry does",
  client: "worked out of what registries tell",
  impossible: "not there",
} as const;
