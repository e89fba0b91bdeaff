import { RegistryError } from "../oci/error.ts";

const depthLimit = 64;
const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;

/**
 * Refuses JSON that parsers read in different ways, so that what was checked here is what clients will see: a key given
 * twice in one object, `__proto__`, nesting past 64, a byte order mark. Throws MANIFEST_INVALID. Everything else is left to the parser.
 */
export function guardJson(bytes: Uint8Array): void {
  if (bytes[0] === 0xef) throw invalid("it starts with a byte order mark");
  const keys: (Set<string> | undefined)[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      const end = stringEnd(bytes, at);
      const object = keys.at(-1);
      if (object && isKey(bytes, end)) noteKey(object, bytes.subarray(at, end));
      at = end - 1;
    } else if (byte === openBrace || byte === openBracket) {
      if (keys.length === depthLimit) throw invalid(`it is nested deeper than ${depthLimit}`);
      keys.push(byte === openBrace ? new Set() : undefined);
    } else if (byte === closeBrace || byte === closeBracket) {
      keys.pop();
    }
  }
}

/** Where the string that starts at `start` ends, after its closing quote. */
function stringEnd(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === backslash) at++;
    else if (bytes[at] === quote) return at + 1;
  }
  throw invalid("a text does not end");
}

function isKey(bytes: Uint8Array, end: number): boolean {
  let at = end;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return bytes[at] === colon;
}

function noteKey(object: Set<string>, text: Uint8Array): void {
  let key: string;
  try {
    key = JSON.parse(new TextDecoder().decode(text)) as string;
  } catch {
    return;
  }
  const shown = JSON.stringify(key.slice(0, 80));
  if (key === "__proto__") throw invalid(`it has a key ${shown}`);
  if (object.has(key)) throw invalid(`it has the key ${shown} twice`);
  object.add(key);
}

function invalid(what: string): RegistryError {
  return new RegistryError("MANIFEST_INVALID", `invalid manifest: ${what}`);
}
