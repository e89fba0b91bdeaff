import { schema, type Fields } from "./schema.ts";
import { showValue } from "./read-value.ts";
import { settingName, type Setting } from "./setting.ts";

/** What counts where nobody says anything. */
export function defaultSettings(fields: Fields = schema, path: readonly string[] = []): readonly Setting[] {
  return Object.entries(fields).flatMap(([key, entry]) => {
    const at = [...path, key];
    if (entry.shape === "group") return defaultSettings(entry.fields, at);
    if (entry.shape !== "scalar" || entry.otherwise === undefined) return [];
    const { kind, otherwise } = entry;
    const value = kind.read(otherwise, { base: "/", home: "/" });
    const name = settingName(at);
    return [
      { path: at, name, value, written: [otherwise], shown: showValue(kind, value), origin: "default", unit: name },
    ];
  });
}
