import type { Digest } from "../../oci/digest.ts";
import type { MadeTag } from "./make.ts";
import { covers, latestVariant, releaseOf, type Release } from "./release.ts";

/** Tags that are given, and those that are not, each with its reason. */
export interface Settled {
  readonly given: readonly MadeTag[];
  readonly held: readonly (MadeTag & { readonly why: string })[];
}

/**
 * Holds back the tags that would move backwards: `1.2`, `1` and `latest` where the repository has a newer version that they stand for,
 * and any other tag that names the very image of a newer version. `tags` has all tags of the repository, with their digests as far as
 * they are known. Pre-releases count only for a build that is one.
 */
export function settleTags(made: readonly MadeTag[], tags: ReadonlyMap<string, Digest | undefined>): Settled {
  const built = mainRelease(made);
  if (!built) return { given: made, held: [] };
  const newer = newerReleases(made, tags.keys());
  const settled = made.map((one) => ({ one, by: newer.find((release) => isHeldBy(one.tag, release)) }));
  return {
    given: settled.flatMap(({ one, by }) => (by ? [] : [one])),
    held: settled.flatMap(({ one, by }) =>
      by ? [{ ...one, why: `${by.tag} is newer than ${built.tag}, and ${one.tag} would move backwards` }] : [],
    ),
  };

  function isHeldBy(tag: string, release: Release): boolean {
    const own = releaseOf(tag);
    if (own?.parts === 3) return false;
    const now = tags.get(tag);
    if (now !== undefined && now === tags.get(release.tag)) return true;
    if (release.semver.prerelease.length > 0 && built!.semver.prerelease.length === 0) return false;
    return own ? covers(own, release) : latestVariant(tag) === built!.variant;
  }
}

/** The versions among tags that are newer than what is built, of the same variant, the newest first. */
export function newerReleases(made: readonly MadeTag[], tags: Iterable<string>): readonly Release[] {
  const built = mainRelease(made);
  if (!built) return [];
  return [...tags]
    .map(releaseOf)
    .filter((one) => one !== undefined)
    .filter(
      ({ parts, variant, semver }) => parts === 3 && variant === built.variant && semver.compare(built.semver) > 0,
    )
    .toSorted((a, b) => b.semver.compare(a.semver));
}

/** The version that is built: the first tag that has all of its three numbers. */
function mainRelease(made: readonly MadeTag[]): Release | undefined {
  return made.map(({ tag }) => releaseOf(tag)).find((release) => release?.parts === 3);
}
