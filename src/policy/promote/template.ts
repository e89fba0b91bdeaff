import { RegistryError } from "../../oci/error.ts";
import { formatReference, type Reference } from "../../oci/reference.ts";
import { versionOf } from "../version.ts";

/** What stands for a part of an image in the name of where it goes. */
const variables = ["registry", "repository", "name", "tag", "version", "major", "minor", "patch"] as const;
type Variable = (typeof variables)[number];

/** The image that a template is filled for. */
export interface Origin {
  readonly reference: Reference;
  /** Its version, where anything tells beside its tag. */
  readonly release?: string;
}

/** Throws INVALID for a variable that there is not; `at` says where the template stands. */
export function checkTemplate(template: string, at: string): void {
  const unknown = [...template.matchAll(/\{([^{}]*)\}/g)].find(
    ([, name]) => !variables.some((known) => known === name),
  );
  if (!unknown) return;
  throw new RegistryError("INVALID", `${at}: ${JSON.stringify(unknown[0])} is not known`, {
    hint: `there are ${variables.map((name) => `{${name}}`).join(", ")}`,
  });
}

/**
 * A template with an image's parts put in: `registry.example/prod/{name}:{tag}`. What the image has not, as a version of a
 * branch, is named in `lacks` in place of the text. `{minor}` and what else is an alias, a pre-release has not.
 */
export function fill(
  template: string,
  { reference, release }: Origin,
): { readonly text: string } | { readonly lacks: string } {
  const version = versionIn(reference.tag) ?? versionIn(release);
  const parts: Readonly<Record<Variable, string | undefined>> = {
    registry: reference.registry,
    repository: reference.repository,
    name: reference.repository.split("/").at(-1),
    tag: reference.tag,
    version: version?.semver.version,
    ...(version && version.semver.prerelease.length === 0
      ? {
          major: String(version.semver.major),
          minor: String(version.semver.minor),
          patch: String(version.semver.patch),
        }
      : { major: undefined, minor: undefined, patch: undefined }),
  };
  let lacks: string | undefined;
  const text = template.replace(/\{(\w+)\}/g, (whole, name: Variable) => {
    if (parts[name] === undefined) lacks ??= `${whole}: ${lackOf(name, reference, version !== undefined)}`;
    return parts[name] ?? "";
  });
  return lacks === undefined ? { text } : { lacks };
}

/** Whether a template names an alias, which moves from version to version by itself. */
export const isAlias = (template: string): boolean =>
  /\{(?:major|minor)\}/.test(template) && !/\{(?:patch|version|tag)\}/.test(template);

/** A text that is a whole version, with three numbers, and no longer than a tag may be. */
export function versionIn(text: string | undefined): ReturnType<typeof versionOf> {
  const version = text === undefined || text.length > 128 ? undefined : versionOf(text);
  return version?.parts === 3 ? version : undefined;
}

function lackOf(name: Variable, reference: Reference, isVersion: boolean): string {
  if (name === "tag") return `${formatReference(reference)} is named without a tag`;
  return isVersion ? "a pre-release has no aliases" : `nothing tells the version of ${formatReference(reference)}`;
}
