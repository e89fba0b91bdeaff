import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import type { LifecycleDialect } from "./dialects.ts";

/** What is wrong with a policy, and where: `rules[0].selection.countNumber`. */
export interface DocumentFault {
  readonly at: string;
  readonly message: string;
}

/** All that a service would refuse in a document of its dialect. */
export function checkDocument(_dialect: LifecycleDialect, document: unknown): readonly DocumentFault[] {
  return isObject(document) ? [] : [{ at: "", message: "it is no JSON object" }];
}

/** Throws INVALID with all that a service would refuse in a document. */
export function requireDocument(dialect: LifecycleDialect, document: unknown): void {
  const faults = checkDocument(dialect, document);
  if (faults.length === 0) return;
  const lines = faults.map(({ at, message }) => (at ? `${at}: ${message}` : message));
  throw new RegistryError("INVALID", `this is no policy that ${dialect} takes: ${lines.join("; ")}`);
}
