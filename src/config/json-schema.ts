import type { JsonSchema, Kind } from "./kind.ts";
import { schema, variableOf, type Entry, type Fields } from "./schema.ts";

/** The configuration file's JSON Schema (draft 2020-12): what editors and other programs check it by. */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Gantry's configuration: gantry.yaml, ~/.config/gantry/config.yaml, /etc/gantry/config.yaml",
    ...properties(schema, (key) => `; ${variableOf(key)}`),
  };
}

function properties(fields: Fields, more: (key: string) => string = () => ""): JsonSchema {
  return {
    type: ["object", "null"],
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(fields).map(([key, entry]) => [
        key,
        { description: `${entry.summary}${more(key)}`, ...otherwise(entry), ...entrySchema(entry) },
      ]),
    ),
  };
}

function otherwise(entry: Entry): JsonSchema {
  return entry.shape === "scalar" && entry.otherwise !== undefined ? { default: defaultOf(entry.otherwise) } : {};
}

/** A default as JSON has it. */
function defaultOf(text: string): unknown {
  return /^(?:true|false|\d+)$/.test(text) ? JSON.parse(text) : text;
}

function entrySchema(entry: Entry): JsonSchema {
  if (entry.shape === "scalar") return valueSchema(entry.kind);
  if (entry.shape === "group") return properties(entry.fields);
  if (entry.shape === "list") {
    const item = valueSchema(entry.item);
    return { anyOf: [item, { type: "array", items: item, ...(entry.filled && { minItems: 1 }) }] };
  }
  return {
    type: ["object", "null"],
    propertyNames: entry.name.json,
    additionalProperties: {
      ...entrySchema(entry.entry),
      ...(entry.ways && { oneOf: entry.ways.map(exactly) }),
      ...(entry.filled && { type: "object", minProperties: 1 }),
    },
  };
}

/** What a kind takes, or a text with a variable in it. */
function valueSchema({ json }: Kind<unknown>): JsonSchema {
  return "type" in json && json["type"] === "string" && !("pattern" in json)
    ? json
    : { anyOf: [...(Array.isArray(json["anyOf"]) ? json["anyOf"] : [json]), { type: "string", pattern: "\\$\\{" }] };
}

function exactly(keys: readonly string[]): JsonSchema {
  return { required: keys, maxProperties: keys.length };
}
