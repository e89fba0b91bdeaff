import * as v from "valibot";
import { checked, faultyDocument, type Document } from "../../../document/document.ts";
import { isDigest } from "../../../oci/digest.ts";
import { formatReference, parseReference } from "../../../oci/reference.ts";
import { isObject } from "../../../oci/descriptor.ts";
import { wholeRegex } from "./go-regex.ts";
import { draftOf, type Draft, type Path, type SyncImport } from "./imported.ts";

const images: v.GenericSchema<unknown, Readonly<Record<string, string | readonly string[]>>> = v.record(
  v.string(),
  v.union([v.string(), v.array(v.string())]),
);

/**
 * Reads the images of image-syncer (AliyunContainerService/image-syncer, README.md, "Image sync configuration file"), in a file
 * of their own or, before 1.2.0, with the logins. Throws INVALID for a file of logins alone.
 */
export function importImageSyncer(document: Document): SyncImport {
  const { value } = document;
  const draft = draftOf(document);
  const old = isObject(value) && isObject(value["images"]);
  if (!old && isObject(value) && Object.values(value).some((one) => isObject(one))) {
    throw faultyDocument(document, [
      { path: [], message: "these are logins: give the file of images, and log in with gantry login" },
    ]);
  }
  if (old) loseLogins(draft, value);
  const root: Path = old ? ["images"] : [];
  const list = old ? checked(v.looseObject({ images }), document).images : checked(images, document);
  for (const [source, targets] of Object.entries(list)) {
    for (const target of typeof targets === "string" ? [targets] : targets)
      addRule(draft, source, target, [...root, source]);
  }
  return draft.done();
}

function loseLogins(draft: Draft, value: Readonly<Record<string, unknown>>): void {
  for (const [place, login] of Object.entries(isObject(value["auth"]) ? value["auth"] : {})) {
    draft.lose(["auth", place], `is not taken over: log in with gantry login ${place}`);
    if (isObject(login) && login["insecure"] === true)
      draft.lose(
        ["auth", place, "insecure"],
        `belongs into gantry.yaml: hosts, ${place.split("/")[0]}, insecure: true`,
      );
  }
  for (const key of Object.keys(value)) {
    if (key !== "auth" && key !== "images") draft.lose([key], "is not known, and left out");
  }
}

/** A place and what of it: tags, a digest, or a regular expression for tags. */
interface Named {
  readonly place: string;
  readonly tags: readonly string[];
  readonly regex?: string;
}

function named(text: string): Named | undefined {
  try {
    const at = text.indexOf(":/");
    if (at > 0) {
      return text.endsWith("/") && text.length > at + 2
        ? { place: formatReference(parseReference(text.slice(0, at))), tags: [], regex: text.slice(at + 2, -1) }
        : undefined;
    }
    const [first = "", ...more] = text.split(",");
    const { tag, digest, ...repository } = parseReference(first);
    if (more.length > 0 && tag === undefined) return undefined;
    return { place: formatReference(repository), tags: digest ? [digest] : tag === undefined ? [] : [tag, ...more] };
  } catch {
    return undefined;
  }
}

function addRule(draft: Draft, source: string, target: string, path: Path): void {
  if (target.includes("$"))
    return draft.lose(path, `goes to ${target}, which is filled in from the environment: left out`);
  const [from, to] = [named(source), named(target)];
  if (!from || !to || to.regex !== undefined) return draft.lose(path, "is no image and where it goes: left out");
  const at = (place: string, tag: string): string => `${place}${isDigest(tag) ? "@" : ":"}${tag}`;
  if (to.tags.length > 0) {
    if (to.tags.length !== from.tags.length)
      return draft.lose(path, "has other numbers of tags on its sides: left out");
    from.tags.forEach((tag, i) =>
      draft.add({ from: at(from.place, tag), to: isDigest(to.tags[i]!) ? to.place : at(to.place, to.tags[i]!) }),
    );
  } else if (from.regex !== undefined) {
    const regex = wholeRegex(from.regex);
    if (regex === undefined) return draft.lose(path, "has a regular expression that cannot be said: left out");
    draft.add({ from: from.place, to: to.place, tags: [{ include: [`/${regex}/`] }] });
  } else if (from.tags.some((tag) => isDigest(tag))) draft.add({ from: at(from.place, from.tags[0]!), to: to.place });
  else draft.add({ from: from.place, to: to.place, ...(from.tags.length > 0 && { tags: [{ include: from.tags }] }) });
}
