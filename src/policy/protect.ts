import type { Inventory } from "../graph/inventory.ts";
import type { Root } from "../graph/needed.ts";
import { isDigest } from "../oci/digest.ts";
import { parsePattern } from "./pattern.ts";

/**
 * What in a repository must not go: a digest, tags by a pattern (`v*`), or those of repositories by a pattern
 * (`registry.example/app:v*`, `team/**:v*`, `team/**`). Throws INVALID for a pattern that is none.
 */
export function protection(texts: readonly string[]): (inventory: Inventory) => readonly Root[] {
  const all = texts.map(rule);
  return (inventory) => all.flatMap((rootsIn) => rootsIn(inventory));
}

function rule(text: string): (inventory: Inventory) => readonly Root[] {
  const why = `protected by ${text}`;
  if (isDigest(text)) return () => [{ digest: text, why }];
  const { repository, tag } = split(text);
  const [place, name] = [repository === undefined ? undefined : parsePattern(repository), parsePattern(tag)];
  return ({ repository: at, tags }) => {
    const isHere = !place || place.fits(at) || place.fits(at.slice(at.indexOf("/") + 1));
    return isHere ? [...tags].filter(([one]) => name.fits(one)).map(([, digest]) => ({ digest, why })) : [];
  };
}

/** A repository with a tag, a repository alone, or a tag alone. */
function split(text: string): { readonly repository?: string; readonly tag: string } {
  if (/^(?:semver:|\/.*\/$)/.test(text)) return { tag: text };
  const [, repository, tag] = /^(.*?[^:]):(?!\d+\/)(.+)$/.exec(text) ?? [];
  if (repository !== undefined && tag !== undefined) return { repository, tag };
  return text.includes("/") ? { repository: text, tag: "**" } : { tag: text };
}
