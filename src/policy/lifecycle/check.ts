import { faultyDocument, type Document } from "../../document/document.ts";
import { RegistryError } from "../../oci/error.ts";
import { checkAcr } from "./acr/check.ts";
import { checkArtifactRegistry } from "./artifact-registry/check.ts";
import type { LifecycleDialect } from "./dialects.ts";
import { checkEcr } from "./ecr/check.ts";
import type { DocumentFault } from "./fault.ts";
import { fieldReader, type FieldReader } from "./fields.ts";
import { checkGitlab } from "./gitlab/check.ts";
import { checkHarbor } from "./harbor/check.ts";
import { checkQuay } from "./quay/check.ts";
import { checkZot } from "./zot/check.ts";

const checks: Readonly<Record<LifecycleDialect, (document: unknown, reader: FieldReader) => void>> = {
  ecr: checkEcr,
  "artifact-registry": checkArtifactRegistry,
  acr: checkAcr,
  harbor: checkHarbor,
  gitlab: checkGitlab,
  quay: checkQuay,
  zot: checkZot,
};

/** All that a service would refuse in a document of its dialect. */
export function checkDocument(dialect: LifecycleDialect, document: unknown): readonly DocumentFault[] {
  const reader = fieldReader();
  checks[dialect](document, reader);
  return reader.faults;
}

/** Throws INVALID with all that a service would refuse in a document. */
export function requireDocument(dialect: LifecycleDialect, document: unknown): void {
  const faults = checkDocument(dialect, document);
  if (faults.length === 0) return;
  const lines = faults.map(({ at, message }) => (at ? `${at} ${message}` : `it ${message}`));
  throw new RegistryError("INVALID", `this is no policy that ${dialect} takes: ${lines.join("; ")}`);
}

/** The same for a document that was read from a text: each fault is told with its place there. */
export function requireRead(dialect: LifecycleDialect, document: Document): void {
  const faults = checkDocument(dialect, document.value);
  if (faults.length === 0) return;
  const placed = faults.map(({ at, message }) => ({
    path: pathOf(at),
    message: at === "" ? `it ${message}` : message,
  }));
  throw faultyDocument(document, placed).with({ hint: `it was read as a policy of ${dialect}` });
}

/** The path that `rules[0].selection` stands for, as `join` writes it. */
export function pathOf(at: string): readonly (string | number)[] {
  return [...at.matchAll(/\[(\d+)\]|"(?:[^"\\]|\\.)*"|[^.[\]"]+/g)].map(([text, index]) => {
    if (index !== undefined) return Number(index);
    return text.startsWith('"') ? (JSON.parse(text) as string) : text;
  });
}
