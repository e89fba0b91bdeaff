import { Document as YamlDocument } from "yaml";
import type { Document } from "../../../document/document.ts";
import { isObject } from "../../../oci/descriptor.ts";
import { RegistryError } from "../../../oci/error.ts";
import { importDregsy } from "./dregsy.ts";
import { importImageSyncer } from "./image-syncer.ts";
import type { ImportOptions, SyncImport } from "./imported.ts";
import { importRegsync } from "./regsync.ts";
import { importSkopeo } from "./skopeo.ts";
import type { SyncTool } from "./tools.ts";

const importers: Readonly<Record<SyncTool, (document: Document, options: ImportOptions) => SyncImport>> = {
  skopeo: importSkopeo,
  regsync: (document) => importRegsync(document),
  dregsy: (document) => importDregsy(document),
  "image-syncer": (document) => importImageSyncer(document),
};

/**
 * Says a tool's file in our form. Throws INVALID with the places where it is none of that tool, and for a `to` that the file
 * says itself.
 */
export function importSync(tool: SyncTool, document: Document, options: ImportOptions = {}): SyncImport {
  if (options.to !== undefined && tool !== "skopeo") {
    throw new RegistryError("INVALID", `${document.name} is of ${tool}, and says itself where each image goes`, {
      hint: "leave --to out, and change `to` in the result",
    });
  }
  return importers[tool](document, options);
}

/** Which tool a file is of, by its keys; undefined where that cannot be told. */
export function guessSyncTool(value: unknown): SyncTool | undefined {
  if (!isObject(value)) return undefined;
  if (Array.isArray(value["tasks"])) return "dregsy";
  if (Array.isArray(value["sync"]) && !value["sync"].some((one) => isObject(one) && "from" in one)) return "regsync";
  if (isObject(value["images"])) return "image-syncer";
  const values = Object.values(value);
  if (values.length === 0) return undefined;
  const ofSkopeo = ["images", "images-by-tag-regex", "images-by-semver"];
  if (values.some((one) => isObject(one) && ofSkopeo.some((key) => key in one))) return "skopeo";
  return values.every((one) => typeof one === "string" || Array.isArray(one)) ? "image-syncer" : undefined;
}

/** Writes an imported file as YAML, with what was lost above it. */
export function formatSyncImport({ file, losses }: SyncImport): string {
  const document = new YamlDocument(file, { aliasDuplicateObjects: false });
  const said = losses.map(({ at, message }) => ` ${at}: ${message}`.replace(/[\p{Cc}\u2028\u2029]/gu, " "));
  if (said.length > 0) document.commentBefore = [" Not as it was:", ...said].join("\n");
  return document.toString({ lineWidth: 0 });
}
