import type * as Yaml from "yaml";
import type { At } from "./fault.ts";

/** YAML as a configuration uses it: texts, lists and maps, each with its place. */
export type Node = ScalarNode | SequenceNode | MappingNode;

export interface ScalarNode {
  readonly type: "scalar";
  /** As it is written, without quotes: a number is not turned into another. */
  readonly text: string;
  /** Nothing is there, or `null` without quotes. */
  readonly absent: boolean;
  readonly at: At;
}

export interface SequenceNode {
  readonly type: "sequence";
  readonly items: readonly Node[];
  readonly at: At;
}

export interface MappingNode {
  readonly type: "mapping";
  readonly pairs: readonly { readonly key: ScalarNode; readonly value: Node }[];
  readonly at: At;
}

/** What is wrong with a document, and where. */
export type Trouble = At & { readonly message: string; readonly hint?: string };

/** A document's content; none where there is nothing in it, or nothing that can be read. */
export interface Document {
  readonly content?: Node;
  readonly troubles: readonly Trouble[];
}

/**
 * Reads YAML 1.2. Aliases, tags, several documents and keys that are no texts are troubles, and what is wrong is told in
 * words that repeat nothing of the text, which may be secret. Keys that stand twice are left to the reader: the parser
 * would compare each with each.
 */
export async function parseDocument(text: string): Promise<Document> {
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: "error",
  });
  if (document.errors.length > 0) {
    // One mistake makes many of the same kind behind it.
    const firsts = document.errors.filter(
      (one, i, all) => all.findIndex(({ code }) => told(code) === told(one.code)) === i,
    );
    return { troubles: firsts.map(({ code, pos }) => ({ ...place(lines, pos[0]), message: told(code) })) };
  }
  const troubles: Trouble[] = [];
  const content = document.contents ? convert(document.contents, { yaml, lines, troubles }) : undefined;
  return { troubles, ...(content && { content }) };
}

interface Context {
  readonly yaml: typeof Yaml;
  readonly lines: Yaml.LineCounter;
  readonly troubles: Trouble[];
}

function convert(node: Yaml.Node, context: Context): Node | undefined {
  const { yaml, lines, troubles } = context;
  const at = place(lines, node.range?.[0] ?? 0);
  const trouble = (message: string, hint: string): undefined => {
    troubles.push({ ...at, message, hint });
  };
  if (yaml.isAlias(node))
    return trouble("aliases (*name) are not taken here", 'write it out, or use hosts: {"*": ...}');
  if (node.tag !== undefined) return trouble("tags (!name) are not taken here", "a text is written in quotes");
  if (yaml.isScalar(node)) {
    return { type: "scalar", text: node.source ?? "", absent: node.value === null, at };
  }
  if (yaml.isSeq(node)) {
    const items = node.items.flatMap((item) => convert(item as Yaml.Node, context) ?? []);
    return { type: "sequence", items, at };
  }
  if (!yaml.isMap(node)) return undefined;
  return { type: "mapping", at, pairs: node.items.flatMap((pair) => convertPair(pair, at, context)) };
}

function convertPair(
  pair: { readonly key: unknown; readonly value: unknown },
  at: At,
  context: Context,
): MappingNode["pairs"] {
  const key = convert(pair.key as Yaml.Node, context);
  if (!key) return [];
  if (key.type !== "scalar") {
    context.troubles.push({ ...(key.at ?? at), message: "a key has to be a text" });
    return [];
  }
  // In `{a, b}` nothing is behind the key.
  if (pair.value === null) return [{ key, value: { type: "scalar", text: "", absent: true, at: key.at } }];
  const value = convert(pair.value as Yaml.Node, context);
  return value ? [{ key, value }] : [];
}

function place(lines: Yaml.LineCounter, offset: number): At {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

const meanings: Readonly<Record<string, string>> = {
  BAD_ALIAS: "an alias (*name) is not right",
  BAD_DIRECTIVE: "this %directive is not known",
  BAD_DQ_ESCAPE: "this escape (\\) is not known in double quotes",
  BAD_INDENT: "the indentation is not right",
  BAD_SCALAR_START: "a text that starts with this character has to be in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a map cannot begin on this line; a text with a colon in it has to be in quotes",
  BLOCK_IN_FLOW: "a block cannot stand in brackets",
  KEY_OVER_1024_CHARS: "this key is too long",
  MISSING_CHAR: "a closing quote or bracket, a comma or a colon is missing",
  MULTILINE_IMPLICIT_KEY: "a key has to be on one line",
  MULTIPLE_DOCS: "there is more than one document",
  RESOURCE_EXHAUSTION: "it is nested too deeply",
  TAB_AS_INDENT: "a tab cannot indent; use spaces",
  TAG_RESOLVE_FAILED: "tags (!name) are not taken here",
};

function told(code: string): string {
  return meanings[code] ?? "this is not YAML";
}
