import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import { schema } from "../../src/config/schema.ts";
import { providerNames } from "../../src/provider/provider.ts";
import { loadConfig } from "../../src/config/load.ts";
import { machine, rejection } from "./support.ts";
import { right, variables, wrong } from "./samples.ts";

const root = join(import.meta.dirname, "../..");

test("the file in the package and the tables of the guide are what the schema is", () => {
  const flags = ["--disable-warning=ExperimentalWarning", "scripts/configuration.ts", "--check"];
  const { status, stderr } = spawnSync(process.execPath, flags, { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test("a host may be said to be any service's that there is", () => {
  expect(schema.hosts.entry.fields.provider.kind.json).toEqual({ enum: providerNames });
});

test("the package has the file", async () => {
  const { files } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { files: string[] };
  expect(files).toContain("gantry.schema.json");
});

test.each(Object.entries(right))("%s: right", async (_, user) => {
  await loadConfig(await machine({ user }, variables));
  expect(misfits(parse(user), configJsonSchema())).toEqual([]);
});

test.each(Object.entries(wrong))("%s: wrong", async (_, user) => {
  expect(await rejection(loadConfig(await machine({ user }, variables)))).toMatchObject({ code: "INVALID" });
  expect(misfits(parse(user), configJsonSchema())).not.toEqual([]);
});

test("only words of JSON Schema that the check here knows are used", () => {
  expect([...new Set(wordsOf(configJsonSchema()))].filter((word) => !known.includes(word))).toEqual([]);
});

type Schema = Readonly<Record<string, unknown>>;

const known =
  "$schema title description default type enum pattern minLength minimum exclusiveMinimum maximum minItems minProperties anyOf oneOf items properties additionalProperties propertyNames required maxProperties".split(
    " ",
  );

function wordsOf(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  if (Array.isArray(schema)) return schema.flatMap(wordsOf);
  return Object.entries(schema as Schema).flatMap(([word, below]) => {
    if (word === "enum" || word === "required" || word === "type" || word === "default") return [word];
    return [word, ...(word === "properties" ? Object.values(below as Schema).flatMap(wordsOf) : wordsOf(below))];
  });
}

/** Where a value does not fit a schema, for the words above; e2e asks a program that others wrote. */
function misfits(value: unknown, schema: Schema, at = "$"): string[] {
  const fits = (one: unknown): boolean => misfits(value, one as Schema, at).length === 0;
  const { pattern = "" } = schema as { readonly pattern?: string };
  const wrong: (false | string)[] = [
    schema["type"] !== undefined && ![schema["type"]].flat().some((type) => isOfType(value, type)) && "type",
    schema["enum"] !== undefined && !(schema["enum"] as unknown[]).includes(value) && "enum",
    schema["anyOf"] !== undefined && !(schema["anyOf"] as unknown[]).some(fits) && "anyOf",
    schema["oneOf"] !== undefined && (schema["oneOf"] as unknown[]).filter(fits).length !== 1 && "oneOf",
    typeof value === "string" && !new RegExp(pattern, "u").test(value) && "pattern",
    typeof value === "string" && value.length < Number(schema["minLength"] ?? 0) && "minLength",
    typeof value === "number" && value < Number(schema["minimum"] ?? value) && "minimum",
    typeof value === "number" && value <= Number(schema["exclusiveMinimum"] ?? -Infinity) && "exclusiveMinimum",
    typeof value === "number" && value > Number(schema["maximum"] ?? value) && "maximum",
  ];
  return [...wrong.filter((one) => one !== false).map((word) => `${at}: ${word}`), ...misfitsBelow(value, schema, at)];
}

function misfitsBelow(value: unknown, schema: Schema, at: string): string[] {
  if (Array.isArray(value)) {
    const few = value.length < Number(schema["minItems"] ?? 0) ? [`${at} has too little`] : [];
    return [...few, ...value.flatMap((one) => misfits(one, (schema["items"] ?? {}) as Schema, `${at}[]`))];
  }
  if (typeof value !== "object" || value === null) return [];
  const { properties = {}, additionalProperties: others, propertyNames = {} } = schema;
  const { required = [], minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema;
  const names = Object.keys(value);
  const missing = (required as string[])
    .filter((name) => !names.includes(name))
    .map((name) => `${at}.${name} is missing`);
  const below = Object.entries(value).flatMap(([name, one]) => {
    const own = Object.hasOwn(properties as object, name) ? (properties as Schema)[name] : others;
    if (own === false) return [`${at}.${name} is unknown`];
    return [
      ...misfits(name, propertyNames as Schema, `${at}.${name}`),
      ...misfits(one, (own ?? {}) as Schema, `${at}.${name}`),
    ];
  });
  const few = names.length < Number(minProperties) ? [`${at} has too little`] : [];
  return [...missing, ...few, ...below, ...(names.length > Number(maxProperties) ? [`${at} has too much`] : [])];
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}
