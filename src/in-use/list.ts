import { faultyDocument, type Document } from "../document/document.ts";
import { parseYaml } from "../document/yaml.ts";
import type { InUse } from "../plan/in-use.ts";
import { imagesIn } from "./images-in.ts";
import { distinct, usedImage } from "./used-image.ts";

/**
 * Reads which images are in use from a file: a reference a line, with `#` before remarks; a JSON list of them; or objects of
 * Kubernetes as JSON or YAML (`kubectl get pods -o json`, rendered manifests). Throws INVALID with the place of what is none.
 */
export function parseUsed(text: string, name: string): readonly InUse[] {
  const start = text.trimStart();
  if (/^[[{]/.test(start)) return distinct(fromDocument(parseYaml(text, name)));
  if (/^(?:---\s*$|(?:apiVersion|kind|metadata|items):)/m.test(start)) {
    // Documents are blanked rather than cut, so that lines keep their numbers.
    return distinct(documents(text).flatMap((one) => fromDocument(parseYaml(one, name))));
  }
  return distinct(
    text.split(/\r?\n/).flatMap((line, i) => {
      const reference = line.replace(/(?:^|\s)#.*$/, "").trim();
      return reference === "" ? [] : [usedImage(reference, name, `${name}:${i + 1}`)];
    }),
  );
}

function documents(text: string): readonly string[] {
  const lines = text.split(/\r?\n/);
  const starts = [0, ...lines.flatMap((line, i) => (/^---(?:\s|$)/.test(line) ? [i + 1] : []))];
  return starts.flatMap((start, i) => {
    const own = lines.slice(start, (starts[i + 1] ?? lines.length + 1) - 1);
    return own.every((line) => /^\s*(?:#.*)?$/.test(line)) ? [] : ["\n".repeat(start) + own.join("\n")];
  });
}

function fromDocument(document: Document): readonly InUse[] {
  const { value, name } = document;
  if (!Array.isArray(value)) return objectsIn(value).flatMap((object) => fromObject(object, name));
  return value.flatMap((item: unknown, i) => {
    if (typeof item === "string") return [usedImage(item, name, `${name}:${document.place?.([i]) ?? ""}: [${i}]`)];
    if (typeof item === "object" && item !== null) return fromObject(item, name);
    throw faultyDocument(document, [{ path: [i], message: "is neither a reference nor an object of Kubernetes" }]);
  });
}

/** The objects of a `List`, else the object itself. */
function objectsIn(value: unknown): readonly unknown[] {
  const { items } = (value ?? {}) as { items?: unknown };
  return Array.isArray(items) ? items : [value];
}

function fromObject(object: unknown, name: string): readonly InUse[] {
  const by = `${name}: ${titleOf(object)}`;
  return imagesIn(object).map(({ text }) => usedImage(text, by));
}

/** `pod shop/web-1`: an object's kind, namespace and name. */
function titleOf(object: unknown): string {
  const { kind, metadata } = (object ?? {}) as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } };
  const { name, namespace } = metadata ?? {};
  const words = [namespace, name].filter((word) => typeof word === "string").join("/");
  return `${typeof kind === "string" ? kind.toLowerCase() : "object"}${words && ` ${words}`}`;
}
