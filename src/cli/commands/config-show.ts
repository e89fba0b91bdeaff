import { configKeys, defaultSettings, flagSetting, mergeLevels, RegistryError, type Setting } from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { longName } from "../option.ts";
import { origin } from "../options.ts";
import { table, type Column } from "../render/table.ts";
import { plain, safeJson } from "../render/text.ts";
import { settingOptions } from "../setting-options.ts";

interface Shown {
  readonly key: string;
  readonly value: unknown;
  /** Where it is from; with --origin. */
  readonly origin?: string;
}

const columns: readonly Column<Shown>[] = [
  { title: "KEY", value: ({ key }) => key },
  { title: "VALUE", value: ({ value }) => valueText(value) },
];

export const run: Run<[key: string | undefined]> = async ([key], cli) => {
  const settings = mergeLevels([flags(cli), (await cli.config()).settings, defaultSettings()]);
  const found = key === undefined ? settings : settings.filter((setting) => fits(setting, key));
  if (key !== undefined && found.length === 0) checkKey(key);
  const withOrigin = cli.get(origin);
  const shown = found
    .toSorted(byPath)
    .map(({ name, shown: value, origin: from }): Shown => ({ key: name, value, ...(withOrigin && { origin: from }) }));
  // One that is asked for by its whole name answers with its value alone.
  const alone = !withOrigin && found.length === 1 && namesOf(found[0]!).includes(key ?? "");
  await cli.out.print(shown, (all, look) => {
    if (all.length === 0) return "";
    if (alone) return `${valueText(all[0]!.value)}\n`;
    return table(all, withOrigin ? [...columns, { title: "ORIGIN", value: (one) => one.origin ?? "" }] : columns, look);
  });
};

/** What was typed on this command line. */
function flags({ given, places }: Cli): readonly Setting[] {
  return settingOptions.flatMap((option) => {
    const typed = given(option);
    if (typed === undefined) return [];
    const where = { base: places.cwd, home: places.home };
    return flagSetting(option.setting!, typed, `--${longName(option.flags)}`, where);
  });
}

/** How a setting may be asked for: `hosts["a.example"].proxy`, `hosts.a.example.proxy`. */
function namesOf({ name, path }: Setting): readonly string[] {
  return [name, path.join(".")];
}

/** Whether a setting is what a key names, or below it. */
function fits(setting: Setting, key: string): boolean {
  return namesOf(setting).some((one) => one === key || (one.startsWith(key) && /^[.[]/.test(one.slice(key.length))));
}

/** In the order of the schema, what is below one name together. */
function byPath(a: Setting, b: Setting): number {
  const rank = ({ path }: Setting): number => configKeys.findIndex((key) => key === path[0]);
  return rank(a) - rank(b) || (a.path[1] ?? "").localeCompare(b.path[1] ?? "");
}

/** A key that is known and not set shows nothing. */
function checkKey(key: string): void {
  const top = /^[^.[]*/.exec(key)![0];
  if (configKeys.some((known) => known === top)) return;
  throw new RegistryError("INVALID", `there is no key ${JSON.stringify(key)}`, {
    hint: `the keys are ${configKeys.join(", ")}`,
  });
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  return typeof value === "string" ? plain(value) : safeJson(value);
}
