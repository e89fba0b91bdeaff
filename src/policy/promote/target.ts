import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { formatReference, isTag, parseReference, type Reference } from "../../oci/reference.ts";
import type { Stage } from "./stage.ts";
import { checkTemplate, fill, isAlias, versionIn, type Origin } from "./template.ts";

/** A tag that an image is to get. */
export interface WantedTag {
  readonly tag: string;
  /** It follows from the version: where it names a later one already, that is how it should be. */
  readonly alias: boolean;
}

/** Where an image is to go. */
export interface Target {
  /** `registry.example/prod/app`. */
  readonly repository: string;
  readonly tags: readonly WantedTag[];
  /** The tags that this image cannot have, and why. */
  readonly leftOut: readonly string[];
}

export interface TargetOptions {
  /** Templates of tags, in place of that of the place and the image's own. */
  readonly tags?: readonly string[];
  /** Also its version and the aliases of that: `1.2.3`, `1.2` and `1`. */
  readonly semverTags?: boolean;
}

/** Where `to`, a reference with variables in it, is for an image, and its tags there. Throws INVALID. */
export function targetOf(origin: Origin, to: string, options: TargetOptions = {}): Target {
  for (const template of [to, ...(options.tags ?? [])]) checkTemplate(template, template);
  if (to.includes("@")) throw new RegistryError("INVALID", `${to}: a place to promote to has no digest`);
  const colon = tagColon(to);
  const place = fill(colon < 0 ? to : to.slice(0, colon), origin);
  if ("lacks" in place) throw new RegistryError("INVALID", `${to}: ${place.lacks}`);
  const bare = parseReference(place.text);
  const own = colon < 0 ? "{tag}" : to.slice(colon + 1);
  const templates = options.tags && options.tags.length > 0 ? options.tags : [own];
  const found = new Map<string, WantedTag>();
  const leftOut: string[] = [];
  for (const template of templates) {
    const filled = fill(template, origin);
    if ("lacks" in filled) leftOut.push(filled.lacks);
    else {
      if (!isTag(filled.text)) throw new RegistryError("INVALID", `${JSON.stringify(filled.text)} is no tag`);
      found.set(filled.text, { tag: filled.text, alias: isAlias(template) });
    }
  }
  if (options.semverTags) {
    const [aliases, why] = aliasesOf([...found.keys(), origin.reference.tag, origin.release]);
    if (why !== undefined) leftOut.push(`${formatReference(origin.reference)}: ${why}`);
    for (const [i, tag] of aliases.entries()) if (!found.has(tag)) found.set(tag, { tag, alias: i > 0 });
  }
  if (found.size === 0) {
    throw new RegistryError("INVALID", `${formatReference(origin.reference)} gets no tag at ${formatReference(bare)}`, {
      hint: leftOut[0] ?? "say which: --tag TAG",
    });
  }
  return { repository: formatReference(bare), tags: [...found.values()], leftOut };
}

/** Where an image goes to, of a stage or a place. */
export function targetAt(origin: Origin, to: Stage | string, options: TargetOptions): Target {
  if (typeof to === "string") return targetOf(origin, to, options);
  const asked = options.tags && options.tags.length > 0;
  return targetOf(origin, to.to, asked ? options : { ...options, tags: to.tags });
}

/** The first stage with gates of which this is the place of an image, by one of its tags at least. */
export function gatedAt(origin: Origin, { repository, tags }: Target, stages: Iterable<Stage>): Stage | undefined {
  const wanted = new Set(tags.map(({ tag }) => tag));
  for (const stage of stages) {
    if (stage.from === undefined && Object.keys(stage.gates).length === 0) continue;
    const at = placeIn(origin, stage);
    if (at?.repository === repository && at.tags.some(({ tag }) => wanted.has(tag))) return stage;
  }
  return undefined;
}

/** Undefined where a stage has no place for an image. */
function placeIn(origin: Origin, stage: Stage): Target | undefined {
  try {
    return targetAt(origin, stage, {});
  } catch (error) {
    if (isRegistryError(error, "INVALID")) return undefined;
    throw error;
  }
}

/** The repository that `to` is for an image, as far as its name tells that; else undefined. */
export function fillPlace(to: string, reference: Reference): string | undefined {
  const colon = tagColon(to);
  const place = fill(colon < 0 ? to : to.slice(0, colon), { reference });
  return "text" in place ? place.text : undefined;
}

/** Where the tag of a reference begins: variables may stand in front of it. */
function tagColon(to: string): number {
  const colon = to.lastIndexOf(":");
  return colon > to.lastIndexOf("/") ? colon : -1;
}

/** The first of these that is a version, and its aliases; 0 is none, as 0.1 and 0.2 have little in common. */
function aliasesOf(texts: readonly (string | undefined)[]): readonly [aliases: readonly string[], why?: string] {
  const version = texts.map((text) => versionIn(text)).find((one) => one !== undefined);
  if (!version) return [[], "nothing tells its version, so that it has no aliases"];
  const { prefix, semver } = version;
  if (semver.prerelease.length > 0) return [[], "a pre-release has no aliases"];
  const { major, minor, patch } = semver;
  return [
    [`${prefix}${major}.${minor}.${patch}`, `${prefix}${major}.${minor}`, ...(major > 0 ? [`${prefix}${major}`] : [])],
  ];
}
