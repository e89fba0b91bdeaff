import { faultyDocument, type Document } from "../document/document.ts";
import type { Fault } from "../document/fault.ts";
import { parseYaml } from "../document/yaml.ts";
import { RegistryError } from "../oci/error.ts";
import type { InUse } from "../plan/in-use.ts";
import { imagesIn } from "./images-in.ts";
import { distinct, usedImage, type InUseFound } from "./used-image.ts";

/**
 * Reads which images are in use from a file: a reference a line, with `#` before remarks; a JSON list of them; or objects of
 * Kubernetes as JSON or YAML (`kubectl get pods -o json`, rendered manifests). Throws INVALID with the place of what is none, be it
 * that it could be read as one, and for a file that says nothing, as a command that failed leaves it; objects may name no image,
 * which is noted.
 */
export function parseUsed(text: string, name: string): InUseFound {
  const start = text.trimStart();
  if (start === "") throw unsaid(name, "there is nothing in it");
  const objects = documentsIn(text, start, name);
  const used = distinct(objects ? objects.flatMap(fromDocument) : fromLines(text, name));
  if (used.length > 0) return { used, notes: [] };
  if (!objects || objects.length === 0) throw unsaid(name, "names no image");
  return { used, notes: [`${name} names no image`] };
}

const unsaid = (name: string, message: string): RegistryError =>
  new RegistryError("INVALID", `${name}: ${message}`, {
    hint: "what wrote it may have failed; where nothing is in use, leave it out",
  });

/** The JSON or YAML of a text; undefined for one of lines. */
function documentsIn(text: string, start: string, name: string): readonly Document[] | undefined {
  if (/^[[{]/.test(start)) return [parseYaml(text, name)];
  if (!/^(?:---\s*$|(?:apiVersion|kind|metadata|items):)/m.test(start)) return undefined;
  // Documents are blanked rather than cut, so that lines keep their numbers.
  return documents(text).map((one) => parseYaml(one, name));
}

function fromLines(text: string, name: string): readonly InUse[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    const reference = line.replace(/(?:^|\s)#.*$/, "").trim();
    return reference === "" ? [] : [fromText(reference, name, `${name}:${i + 1}`)];
  });
}

/** What lists of something else have in them, and would pass for an image: nothing that runs would be protected by it. */
const noImages: readonly { readonly form: RegExp; readonly is: string; readonly hint: string }[] = [
  {
    form: /^(?:pod|podtemplate|replicationcontroller|deployment|replicaset|statefulset|daemonset|job|cronjob)s?(?:\.(?:apps|batch|extensions))?\/[a-z0-9.-]+$/,
    is: "an object of Kubernetes, not an image",
    hint: "write what it runs: kubectl get pods --all-namespaces -o json",
  },
  {
    form: /^[0-9a-f]{12,64}$/,
    is: "the ID of a container or an image, not a reference",
    hint: "write what runs: docker ps --format '{{.Image}}'",
  },
  {
    form: /^null$/,
    is: "what jq writes where there is nothing, not a reference",
    hint: "see what was asked of it; an image that is called so is named with its tag",
  },
];

function fromText(text: string, by: string, at: string): InUse {
  const other = noImages.find(({ form }) => form.test(text));
  if (!other) return usedImage(text, by, at);
  throw new RegistryError("INVALID", `${at}: ${JSON.stringify(text)} is ${other.is}`, {
    hint: `${other.hint}; an image that is called so is named with its tag`,
  });
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
  if (!Array.isArray(value)) return fromObject(document, value, []);
  if (value.length === 0) throw faultyDocument(document, [{ path: [], message: "names no image" }]);
  return value.flatMap((item: unknown, i) => {
    if (typeof item === "string") return [fromText(item, name, `${name}:${document.place?.([i]) ?? ""}: [${i}]`)];
    return fromObject(document, item, [i]);
  });
}

/** The images of an object, or of all in a list of them. */
function fromObject(document: Document, object: unknown, path: Fault["path"], isItem = false): readonly InUse[] {
  const message = faultOf(object, isItem);
  if (message !== undefined) throw faultyDocument(document, [{ path, message }]);
  const { kind, items, metadata } = object as { kind?: string; items?: unknown; metadata?: { continue?: unknown } };
  if (kind?.endsWith("List") && metadata?.continue) {
    const rest = "says that the list goes on, and the rest is not here";
    throw faultyDocument(document, [{ path: [...path, "metadata", "continue"], message: rest }]);
  }
  if (kind?.endsWith("List") && Array.isArray(items)) {
    return items.flatMap((item: unknown, i) => fromObject(document, item, [...path, "items", i], true));
  }
  if (kind === "List") throw faultyDocument(document, [{ path: [...path, "items"], message: "is no list" }]);
  return imagesIn(object, `${document.name}: ${titleOf(object)}`);
}

/** Why something is no object of Kubernetes; those in a list of one kind do not say it. */
function faultOf(object: unknown, isItem: boolean): string | undefined {
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    return `is ${isItem ? "no" : "neither a reference nor an"} object of Kubernetes`;
  }
  const { kind, message } = object as { kind?: unknown; message?: unknown };
  if (kind === "Status") {
    return `is no object of Kubernetes, but an answer of its API${typeof message === "string" ? `: ${message}` : ""}`;
  }
  if (typeof kind === "string" && /^(?:Table|PartialObjectMetadata(?:List)?)$/.test(kind)) {
    return `is a ${kind}, which has no images of what it names`;
  }
  const isNamed = typeof kind === "string" && kind !== "";
  return isNamed || (isItem && kind === undefined) ? undefined : "is no object of Kubernetes: it has no kind";
}

/** `pod shop/web-1`: an object's kind, namespace and name. */
function titleOf(object: unknown): string {
  const { kind, metadata } = (object ?? {}) as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } };
  const { name, namespace } = metadata ?? {};
  const words = [namespace, name].filter((word) => typeof word === "string").join("/");
  return `${typeof kind === "string" ? kind.toLowerCase() : "object"}${words && ` ${words}`}`;
}
