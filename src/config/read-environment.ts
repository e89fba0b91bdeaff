import { parseDocument, type Node } from "./document.ts";
import { draftOf, type Level, type Origin } from "./draft.ts";
import { nearest, type Fault } from "./fault.ts";
import type { ConfigPlaces } from "./places.ts";
import { readKey } from "./read.ts";
import { configKeys, schema, variableOf, type ConfigKey } from "./schema.ts";

/** Reads the variables of all keys; an empty one counts as not set. Maps and lists are YAML in one line. */
export async function readEnvironment({ env, home, cwd }: ConfigPlaces): Promise<Level> {
  const levels: Level[] = [];
  for (const key of configKeys) {
    const text = env[variableOf(key)];
    if (text) levels.push(await readVariable(key, text, { base: cwd, home }));
  }
  return {
    settings: levels.flatMap(({ settings }) => settings),
    faults: levels.flatMap(({ faults }) => faults),
    secrets: [],
  };
}

async function readVariable(key: ConfigKey, text: string, where: Origin["where"]): Promise<Level> {
  const origin: Origin = { source: variableOf(key), lines: false, where };
  const { shape } = schema[key];
  // One path is a list of one, and whatever it has in it: no YAML.
  const isText = shape === "scalar" || (shape === "list" && !/^\s*\[/.test(text));
  if (isText) return readKey(key, { type: "scalar", text, absent: false, at: start }, origin);
  const { content = nothing, troubles } = await parseDocument(text);
  if (troubles.length === 0) return readKey(key, content, origin);
  const draft = draftOf(origin);
  draft.fault(start, troubles[0]!.message, troubles[0]!.hint);
  return draft.level;
}

const start = { line: 1, column: 1 };
const nothing: Node = { type: "scalar", text: "", absent: true, at: start };

/** What else Gantry looks up in the environment. */
const others = ["CONFIG", "DEBUG", "REGISTRY", "USERNAME", "PASSWORD", "TOKEN"].map((name) => `GANTRY_${name}`);

/** What Kubernetes tells every container of a service whose name begins with `gantry`. */
const ofService = /^GANTRY_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT\w*|PORT(?:_\d+_(?:TCP|UDP|SCTP)\w*)?)$/;

/** The variables that look like ours and are nobody's. */
export function strayVariables(env: ConfigPlaces["env"]): readonly Fault[] {
  const known = [...configKeys.map(variableOf), ...others];
  const stray = Object.keys(env).filter(
    (name) => name.startsWith("GANTRY_") && !known.includes(name) && !ofService.test(name),
  );
  return stray.map((name) => {
    const guess = nearest(name, known);
    return { source: name, message: "no key has this variable", ...(guess && { hint: `did you mean ${guess}?` }) };
  });
}
