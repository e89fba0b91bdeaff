import type { Node } from "./document.ts";
import { faultsError } from "./fault.ts";
import type { Where } from "./kind.ts";
import { readKey } from "./read.ts";
import type { SettingKey } from "./schema.ts";
import type { Setting } from "./setting.ts";

/** What an option of the command line says of the key it belongs to. */
export function flagSetting(
  key: SettingKey,
  given: boolean | readonly string[],
  flag: string,
  where: Where,
): readonly Setting[] {
  const at = { line: 1, column: 1 };
  const scalar = (text: string): Node => ({ type: "scalar", text, absent: false, at });
  const texts = typeof given === "boolean" ? [String(given)] : given;
  const items = texts.map(scalar);
  const node: Node = texts.length === 1 ? items[0]! : { type: "sequence", items, at };
  const { settings, faults } = readKey(key, node, { source: flag, lines: false, where });
  if (faults.length > 0) throw faultsError(faults);
  return settings;
}
