import type { Node } from "./document.ts";
import type { Draft } from "./draft.ts";
import { expand, hasVariable } from "./expand.ts";
import type { Kind } from "./kind.ts";

/** Reads one value; undefined where it is wrong, which has been told then. Of a secret, the text is not. */
export function readValue<T>(node: Node, kind: Kind<T>, name: string, draft: Draft): { readonly value: T } | undefined {
  const { origin } = draft;
  const wrong = (what: string, hint?: string): undefined => {
    draft.fault(node.at, `${name}${what}`, hint);
  };
  if (node.type !== "scalar") return wrong(` wants ${kind.wants}, not a ${node.type === "mapping" ? "map" : "list"}`);
  if (node.absent && !(kind.isTilde && node.text === "~")) return wrong(` wants ${kind.wants}; nothing is there`);
  const varies = origin.env !== undefined && hasVariable(node.text);
  if (varies && origin.project?.trusted === false) {
    return wrong(": variables are put in only where the directory is trusted", origin.project.hint);
  }
  const expanded = origin.env ? expand(node.text, origin.env) : { text: node.text };
  if ("wrong" in expanded) return wrong(`: ${expanded.wrong}`);
  const value = kind.read(expanded.text, origin.where);
  if (value === undefined) return wrong(` wants ${kind.wants}${kind.show ? "" : `, not ${quoted(node.text)}`}`);
  if (!varies && kind.show && kind.show(value) !== kind.write(value)) draft.secret(name);
  return { value };
}

/** A value as `config show` writes it: secrets masked, what is a number as one. */
export function showValue<T>(kind: Kind<T>, value: T): unknown {
  if (kind.show) return kind.show(value);
  return typeof value === "boolean" || kind.write(value) === String(value) ? value : kind.write(value);
}

/** A text as a message shows it: not all of a long one, and nothing that may be a password before an `@`. */
export function quoted(text: string): string {
  const at = text.lastIndexOf("@");
  const bare = at < 0 ? text : `...${text.slice(at)}`;
  return JSON.stringify(bare.length > 60 ? `${bare.slice(0, 60)}...` : bare);
}
