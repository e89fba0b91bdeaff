import { isTag } from "../../oci/reference.ts";

const longest = 128;

/**
 * Makes a tag of any text: what cannot be in one becomes `-`, as docker/metadata-action does it; what cannot be at its start goes,
 * and what is too long is cut. `fault` says what was lost beyond that; nothing may be left.
 */
export function asTag(text: string): { readonly tag?: string; readonly fault?: string } {
  const written = text.replace(/[^a-zA-Z0-9._-]+/g, "-");
  const tag = written.replace(/^[.-]+/, "").slice(0, longest);
  if (!isTag(tag)) return { fault: `${JSON.stringify(text)} has nothing of which a tag can be made` };
  if (tag === written) return { tag };
  const why = written.length > longest ? `a tag has at most ${longest} characters` : "a tag cannot start with . or -";
  return { tag, fault: `${JSON.stringify(text)} became ${tag}: ${why}` };
}
