import { formatPath } from "../../../document/fault.ts";
import type { Document } from "../../../document/document.ts";
import type { Mapping, SyncFile, SyncSettings } from "../sync-file.ts";

export type Path = readonly (string | number)[];

/** Something that a file of another tool says and ours does not, or says otherwise, and what to do about it. */
export interface ImportLoss {
  readonly path: Path;
  /** The place and the path, for people: `sync.yaml:12:5: sync[1].hooks`. */
  readonly at: string;
  readonly message: string;
}

/** A file of another tool in our form. Nothing is selected that the tool would not select. */
export interface SyncImport {
  readonly file: SyncFile;
  readonly losses: readonly ImportLoss[];
}

export interface ImportOptions {
  /** Where to, for skopeo, which is told so on its command line: a repository's prefix, or a template. */
  readonly to?: string;
}

/** Collects what an import makes, and what is lost on the way. */
export interface Draft {
  readonly lose: (path: Path, message: string) => undefined;
  readonly add: (mapping: Mapping) => void;
  /** The import as far as it is; a file without a mapping has an empty list. */
  readonly done: (defaults?: SyncSettings) => SyncImport;
}

export function draftOf(document: Document): Draft {
  const losses: ImportLoss[] = [];
  const sync: Mapping[] = [];
  const names = new Set<string>();
  /** Names are unique in a file of ours. */
  const unique = (name: string): string => {
    let free = name;
    for (let i = 2; names.has(free); i++) free = `${name}-${i}`;
    names.add(free);
    return free;
  };
  return {
    add: (mapping) => void sync.push(mapping.name === undefined ? mapping : { ...mapping, name: unique(mapping.name) }),
    lose(path, message) {
      const place = document.place?.(path);
      const where = [document.name, ...(place === undefined ? [] : [place])].join(":");
      losses.push({ path, at: `${where}: ${formatPath(path)}`, message });
      return undefined;
    },
    done: (defaults = {}) => ({
      file: { version: 1, ...(Object.keys(defaults).length > 0 && { defaults }), sync },
      losses,
    }),
  };
}

/** Names the keys that are not known to be of the tool. */
export function loseUnknown(draft: Draft, value: object, path: Path, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key) && !key.startsWith("x-")) draft.lose([...path, key], "is not known, and left out");
  }
}
