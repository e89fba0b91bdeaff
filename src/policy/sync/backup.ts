import type { Digest } from "../../oci/digest.ts";
import { hexOf } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { isTag } from "../../oci/reference.ts";

/** The tags under which what is overwritten stays. */
export interface Backup {
  /** The tag for what `tag` names now. Where that is taken, another one with a number behind it. */
  name(tag: string, digest: Digest, now: Date, isTaken: (tag: string) => boolean): string;
  /** Whether a tag can be one of these. */
  fits(tag: string): boolean;
}

const forms: Readonly<Record<string, string>> = {
  tag: ".+",
  date: "\\d{8}",
  time: "\\d{6}",
  digest: "[0-9a-f]{12}",
};

/** Reads a form such as `{tag}-{date}`; `{time}` and `{digest}` (12 characters) are there too. Throws INVALID. */
export function parseBackup(text: string): Backup {
  const stray = [...text.matchAll(/\{([^}]*)\}?/g)].find(([, name = ""]) => !Object.hasOwn(forms, name));
  const filled = text.replace(/\{\w+\}/g, "0");
  if (stray || !text.includes("{tag}") || text === "{tag}" || !isTag(filled)) {
    throw new RegistryError("INVALID", `${JSON.stringify(text)} makes no tags to keep backups under`, {
      hint: "write {tag} and more, such as {tag}-{date}; there are {date}, {time} and {digest}",
    });
  }
  const parts = text.split(/\{(\w+)\}/);
  const form = parts.map((part, i) => (i % 2 === 1 ? forms[part]! : part.replace(/[.]/g, "\\."))).join("");
  const expression = new RegExp(`^${form}(?:-\\d+)?$`);
  return {
    fits: (tag) => expression.test(tag),
    name(tag, digest, now, isTaken) {
      const moment = now.toISOString().replaceAll(/[-:]/g, "");
      const values: Readonly<Record<string, string>> = {
        tag,
        date: moment.slice(0, 8),
        time: moment.slice(9, 15),
        digest: hexOf(digest).slice(0, 12),
      };
      const name = text.replace(/\{(\w+)\}/g, (_, key: string) => values[key]!);
      let free = name;
      for (let i = 2; isTaken(free); i++) free = `${name}-${i}`;
      return free;
    },
  };
}
