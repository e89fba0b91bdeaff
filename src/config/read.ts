import type { Node, ScalarNode } from "./document.ts";
import { draftOf, type Draft, type Level, type Origin } from "./draft.ts";
import { nearest, type At } from "./fault.ts";
import { quoted, readValue, showValue } from "./read-value.ts";
import {
  hostFields,
  schema,
  type ConfigKey,
  type Entry,
  type Fields,
  type Group,
  type List,
  type Scalar,
  type SettingKey,
  type Table,
} from "./schema.ts";
import { settingName } from "./setting.ts";

/** Reads the content of a file by the schema. Everything that is wrong is told; what is right is there all the same. */
export function readLevel(content: Node, origin: Origin): Level {
  const draft = draftOf(origin);
  readFields(content, schema, [], draft);
  return draft.level;
}

/** Reads the value of one key, at the top or right below a group. */
export function readKey(key: ConfigKey | SettingKey, content: Node, origin: Origin): Level {
  const draft = draftOf(origin);
  const path = key.split(".");
  const top: Entry = schema[path[0] as ConfigKey];
  const entry = path[1] !== undefined && top.shape === "group" ? top.fields[path[1]]! : top;
  readEntry(content, entry, path, draft);
  return draft.level;
}

type Path = readonly string[];

/** Reads what stands under a key; `unit` where it is of an entry that counts as a whole. */
function readEntry(node: Node, entry: Entry, path: Path, draft: Draft, unit?: string): void {
  if (entry.guarded === true && draft.origin.project?.trusted === false) return refuse(node.at, path, draft);
  if (entry.shape === "group") return void readFields(node, entry.fields, path, draft, unit);
  if (entry.shape === "table") return readTable(node, entry, path, draft);
  if (entry.shape === "list") return readList(node, entry, path, draft, unit);
  readScalar(node, entry, path, draft, unit);
}

function readScalar(node: Node, entry: Scalar<unknown>, path: Path, draft: Draft, unit?: string): void {
  const { kind, guarded } = entry;
  const read = readValue(node, kind, settingName(path), draft);
  if (!read) return;
  const { value } = read;
  if (draft.origin.project?.trusted === false && typeof guarded === "function" && guarded(value)) {
    return refuse(node.at, path, draft);
  }
  const written = typeof value === "boolean" && kind.write(value) === String(value) ? value : [kind.write(value)];
  draft.settle(node.at, path, unit, { value, written, shown: showValue(kind, value) });
}

function readList(
  node: Node,
  { item, personal, filled }: List<unknown>,
  path: Path,
  draft: Draft,
  unit?: string,
): void {
  const name = settingName(path);
  if (personal && draft.origin.project) {
    return draft.fault(node.at, `${name} cannot stand in a project file`, "it belongs into the user's or the system's");
  }
  const nodes = node.type === "sequence" ? node.items : [node];
  if (filled && nodes.length === 0) return draft.fault(node.at, `${name} wants at least one: ${item.wants}`);
  const value = nodes.flatMap((one) => readValue(one, item, name, draft) ?? []).map((one) => one.value);
  if (value.length < nodes.length) return;
  const written = value.map((one) => item.write(one));
  draft.settle(node.at, path, unit, { value, written, shown: value.map((one) => showValue(item, one)) });
}

function readTable(node: Node, { name, entry, ways, filled }: Table<Entry>, path: Path, draft: Draft): void {
  for (const { key, value, known } of pairsOf(node, path, draft, (text) => name.read(text, draft.origin.where))) {
    if (known === undefined) {
      const hint = key.text.includes("://") ? "leave the scheme out" : undefined;
      draft.fault(key.at, `${settingName(path)}: a name there is ${name.wants}, not ${quoted(key.text)}`, hint);
    } else if (ways) {
      readWhole({ key, value }, { fields: (entry as Group<Fields>).fields, ways }, [...path, known], draft);
    } else {
      const before = told(draft);
      readEntry(value, entry, [...path, known], draft);
      if (filled && told(draft) === before) draft.fault(key.at, `${settingName([...path, known])} has nothing in it`);
    }
  }
}

/** How much a level says, right or wrong. */
const told = ({ level: { settings, faults } }: Draft): number => settings.length + faults.length;

function readWhole(
  { key, value }: { readonly key: ScalarNode; readonly value: Node },
  { fields, ways }: { readonly fields: Fields; readonly ways: readonly (readonly string[])[] },
  path: Path,
  draft: Draft,
): void {
  const before = draft.level.faults.length;
  const name = settingName(path);
  const keys = readFields(value, fields, path, draft, name);
  const fits = ways.some((way) => way.length === keys.length && way.every((one) => keys.includes(one)));
  if (fits || draft.level.faults.length > before) return;
  draft.fault(key.at, `${name} wants ${ways.map((way) => way.join(" and ")).join(", or ")}, and nothing beside`);
}

/** Reads a map of known keys; answers those it has. */
function readFields(node: Node, fields: Fields, path: Path, draft: Draft, unit?: string): readonly string[] {
  return pairsOf(node, path, draft, (key) => key).map(({ key, value }) => {
    if (Object.hasOwn(fields, key.text)) readEntry(value, fields[key.text]!, [...path, key.text], draft, unit);
    else {
      const below = path.length === 0 ? "" : ` in ${settingName(path)}`;
      draft.fault(key.at, `unknown key ${quoted(key.text)}${below}`, hintFor(key.text, fields));
    }
    return key.text;
  });
}

interface Pair {
  readonly key: ScalarNode;
  readonly value: Node;
  /** The key as `nameOf` reads it. */
  readonly known: string | undefined;
}

/** The pairs of a map, each key once; a map with nothing in it may be left out. */
function pairsOf(node: Node, path: Path, draft: Draft, nameOf: (key: string) => string | undefined): readonly Pair[] {
  if (node.type === "scalar" && node.absent) return [];
  if (node.type !== "mapping") {
    draft.fault(node.at, path.length === 0 ? "this has to be a map of keys" : `${settingName(path)} wants a map`);
    return [];
  }
  const seen = new Map<string, At>();
  return node.pairs.flatMap(({ key, value }) => {
    const known = nameOf(key.text);
    const first = known === undefined ? undefined : seen.get(known);
    if (first) {
      draft.fault(key.at, `${settingName([...path, known!])} stands there twice, first in line ${first.line}`);
      return [];
    }
    if (known !== undefined) seen.set(known, key.at);
    return [{ key, value, known }];
  });
}

function refuse(at: At, path: Path, draft: Draft): void {
  const name = settingName(path);
  draft.fault(at, `${name} counts in a project file only where its directory is trusted`, draft.origin.project?.hint);
}

function hintFor(written: string, fields: Fields): string | undefined {
  const guess = nearest(written, Object.keys(fields));
  if (guess !== undefined) return `did you mean ${guess}?`;
  const ofHosts = Object.hasOwn(hostFields, written) && !Object.hasOwn(fields, written);
  return ofHosts ? `it belongs under a host: hosts: {"HOST": {${written}: ...}}` : undefined;
}
