import { RegistryError } from "../../index.ts";
import { shapes, type Shape } from "../shapes.ts";
import type { Part, Template } from "./template.ts";

/** Throws INVALID where a template names a field that no result of the command has; what shapes do not tell passes. */
export function checkFields({ parts }: Template, command: string): void {
  const shape = shapes[command];
  // A template is filled for each item of a result that is a list.
  if (shape !== undefined) checkParts(parts, isList(shape) ? shape[0] : shape);
}

function checkParts(parts: readonly Part[], shape: Shape | undefined): void {
  for (const part of parts) {
    if (part.kind === "text") continue;
    const found = part.path.reduce((at, name, i) => below(at, name, part.path.slice(0, i)), shape);
    if (part.kind === "range") checkParts(part.parts, itemOf(found));
  }
}

/** The shape of a field; undefined where shapes do not tell. */
function below(shape: Shape | undefined, name: string, path: readonly string[]): Shape | undefined {
  if (shape === undefined || typeof shape === "string") return undefined;
  const at = path.length > 0 ? `.${path.join(".")}` : "";
  if (isList(shape)) {
    if (/^\d+$/.test(name)) return shape[0];
    if (name === "length") return undefined;
    throw unknownField(
      `${at || "the result"} is a list: it has no field .${name}`,
      `{{range ${at || "."}}}{{.${name}}}{{end}}`,
    );
  }
  const key = Object.keys(shape).find((key) => key === "*" || isNamed(key, name));
  if (key !== undefined) return shape[key];
  const known = Object.keys(shape).map((key) => `.${key.replace(/\?$/, "")}`);
  throw unknownField(`there is no field ${at}.${name}`, `there are ${known.join(", ")}`);
}

function isNamed(key: string, name: string): boolean {
  return key.replace(/\?$/, "").toLowerCase() === name.toLowerCase();
}

/** What a range goes over: the items of a list, or the values of what has any names. */
function itemOf(shape: Shape | undefined): Shape | undefined {
  if (shape === undefined || typeof shape === "string") return undefined;
  return isList(shape) ? shape[0] : shape["*"];
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function unknownField(what: string, hint: string): RegistryError {
  return new RegistryError("INVALID", `--format: ${what}`, { hint });
}
