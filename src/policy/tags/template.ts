import { RegistryError } from "../../oci/error.ts";

/** What an expression stands for: a text, or what makes one of its argument and its `name='value'`. */
export type Expression = string | ((argument: string, named: Readonly<Record<string, string>>) => string);

const mustache = /\{\{\{?\s*([\s\S]*?)\s*\}?\}\}/g;
const call = /^([A-Za-z_]\w*)(?:\s+(?:'([^']*)'|"([^"]*)"))?((?:\s+[A-Za-z_]\w*=(?:'[^']*'|"[^"]*"))*)$/;
const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
  "`": "&#x60;",
  "=": "&#x3D;",
};

/**
 * Fills in a template of Handlebars as far as docker/metadata-action documents it: `{{name}}`, `{{name 'argument' key='value'}}`.
 * Two braces write characters of HTML as entities, as there, three do not. Throws INVALID for any other expression.
 */
export function fillTemplate(template: string, expressions: Readonly<Record<string, Expression>>): string {
  return template.replace(mustache, (written: string, inner: string) => {
    const [, name = "", single, double, pairs = ""] = call.exec(inner) ?? [];
    if (/^\w+\s+[^'"=\s]+$/.test(inner)) {
      throw new RegistryError("INVALID", `${JSON.stringify(written)}: what follows the name has to be in quotes`);
    }
    if (name === "" || !Object.hasOwn(expressions, name)) {
      throw new RegistryError("INVALID", `${JSON.stringify(written)} is not known here`, {
        hint: `there ${Object.keys(expressions).length === 1 ? "is" : "are"} ${Object.keys(expressions).join(", ")}`,
      });
    }
    const expression = expressions[name]!;
    const argument = single ?? double;
    if (typeof expression === "string") {
      if (argument !== undefined || pairs !== "")
        throw new RegistryError("INVALID", `${JSON.stringify(written)}: ${name} takes no argument`);
      return escaped(expression, written);
    }
    const named = [...pairs.matchAll(/(\w+)=(?:'([^']*)'|"([^"]*)")/g)].map(([, key, a, b]) => [key!, a ?? b!]);
    return escaped(expression(argument ?? "", Object.fromEntries(named) as Record<string, string>), written);
  });
}

const escaped = (text: string, written: string): string =>
  written.startsWith("{{{") ? text : text.replace(/[&<>"'`=]/g, (char) => escapes[char]!);

/** Whether a template is `{{raw}}` and nothing else. */
export const isRawTemplate = (template: string): boolean => /^\{\{\{?\s*raw\s*\}?\}\}$/.test(template);
