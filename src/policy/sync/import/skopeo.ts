import * as v from "valibot";
import { checked, type Document } from "../../../document/document.ts";
import { RegistryError } from "../../../oci/error.ts";
import { isDigest } from "../../../oci/digest.ts";
import { formatReference, parseReference } from "../../../oci/reference.ts";
import type { TagSet } from "../sync-file.ts";
import { wholeRegex } from "./go-regex.ts";
import { draftOf, loseUnknown, type Draft, type ImportOptions, type Path, type SyncImport } from "./imported.ts";
import { rangeLoss, rangeSet } from "./ranges.ts";

const texts = v.record(v.string(), v.string());
const registry = v.looseObject({
  images: v.optional(v.nullable(v.record(v.string(), v.nullable(v.array(v.union([v.string(), v.number()])))))),
  "images-by-tag-regex": v.optional(v.nullable(texts)),
  "images-by-semver": v.optional(v.nullable(texts)),
});
type SkopeoRegistry = v.InferOutput<typeof registry>;
const schema: v.GenericSchema<unknown, Readonly<Record<string, SkopeoRegistry>>> = v.record(v.string(), registry);
const keys = ["images", "images-by-tag-regex", "images-by-semver", "credentials", "tls-verify", "cert-dir"];

/**
 * Reads a file of `skopeo sync --src yaml` (containers/skopeo, docs/skopeo-sync.1.md, "YAML FILE CONTENT"). Where to stands
 * on skopeo's command line: `to` is a prefix, under which images have their last name. Throws INVALID without it.
 */
export function importSkopeo(document: Document, { to }: ImportOptions = {}): SyncImport {
  if (to === undefined) {
    throw new RegistryError("INVALID", `${document.name} does not say where to: skopeo has that on its command line`, {
      hint: "say --to, with the registry and the path that skopeo was given last",
    });
  }
  const target = to.includes("{") ? to : `${to.replace(/\/+$/, "")}/{name}`;
  const draft = draftOf(document);
  for (const [host, found] of Object.entries(checked(schema, document))) {
    loseUnknown(draft, found, [host], keys);
    loseAccess(draft, host, found);
    addRegistry(draft, host, found, target);
  }
  return draft.done();
}

function loseAccess(draft: Draft, host: string, found: SkopeoRegistry): void {
  if (found["credentials"]) draft.lose([host, "credentials"], `is not taken over: log in with gantry login ${host}`);
  if (found["tls-verify"] === false)
    draft.lose([host, "tls-verify"], `belongs into gantry.yaml: hosts, ${host}, insecure: true`);
  if (found["cert-dir"])
    draft.lose([host, "cert-dir"], `belongs into gantry.yaml: hosts, ${host}, caFiles (and certFile, keyFile)`);
}

function addRegistry(draft: Draft, host: string, found: SkopeoRegistry, to: string): void {
  for (const [image, tags] of Object.entries(found.images ?? {})) {
    const from = sourceOf(draft, host, image, [host, "images", image]);
    if (from === undefined) continue;
    const all = (tags ?? []).map(String);
    const [digests, names] = [all.filter((one) => isDigest(one)), all.filter((one) => !isDigest(one))];
    if (all.length === 0) draft.add({ from, to });
    else if (names.length > 0) draft.add({ from, to, tags: [{ include: names }] });
    for (const digest of digests) draft.add({ from: `${from}@${digest}`, to });
  }
  addSets(draft, host, "images-by-tag-regex", found, to, (text, path) => {
    const regex = wholeRegex(text);
    return regex === undefined
      ? draft.lose(path, `${JSON.stringify(text)} cannot be said: the image is left out`)
      : { include: [`/${regex}/`] };
  });
  addSets(draft, host, "images-by-semver", found, to, (text, path) => {
    const set = rangeSet(text);
    draft.lose(path, set ? rangeLoss : `${JSON.stringify(text)} cannot be said: the image is left out`);
    return set;
  });
}

function addSets(
  draft: Draft,
  host: string,
  key: "images-by-tag-regex" | "images-by-semver",
  found: SkopeoRegistry,
  to: string,
  setOf: (text: string, path: Path) => TagSet | undefined,
): void {
  for (const [image, text] of Object.entries(found[key] ?? {})) {
    const path = [host, key, image];
    const [from, set] = [sourceOf(draft, host, image, path), setOf(text, path)];
    if (from !== undefined && set) draft.add({ from, to, tags: [set] });
  }
}

function sourceOf(draft: Draft, host: string, image: string, path: Path): string | undefined {
  try {
    return formatReference(parseReference(`${host}/${image}`));
  } catch {
    return draft.lose(path, "is no name of a repository, and left out");
  }
}
