import { LineCounter, parseDocument, isNode } from "yaml";
import { RegistryError } from "../oci/error.ts";
import type { Document } from "./document.ts";

/** Reads YAML, of which JSON is a part. Throws INVALID with the place of what is neither. */
export function parseYaml(text: string, name: string): Document {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    // Behind some there is, in quotes, all that stands there.
    const message = error.message.replace(/: ".*"$/s, "");
    if (error.code === "MULTIPLE_DOCS") {
      throw new RegistryError(
        "INVALID",
        `${name}:${line}:${col}: a second document begins here, and only one may be there`,
      );
    }
    throw new RegistryError("INVALID", `${name}:${line}:${col}: this is neither JSON nor YAML: ${message}`);
  }
  return {
    name,
    value: valueOf(document, name),
    place(path) {
      for (let length = path.length; length >= 0; length--) {
        const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
        if (!isNode(node) || !node.range) continue;
        const { line, col } = lines.linePos(node.range[0]);
        return `${line}:${col}`;
      }
      return undefined;
    },
  };
}

function valueOf(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new RegistryError("INVALID", `${name}: its aliases (*name) are too many, or name nothing`, { cause });
  }
}
