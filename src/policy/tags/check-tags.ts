import type { Held, Inventory } from "../../graph/inventory.ts";
import { needed, subjectOfTag } from "../../graph/needed.ts";
import type { Digest } from "../../oci/digest.ts";
import type { TagFinding } from "./finding.ts";
import { noHistory, type TagHistory } from "./history.ts";
import { covers, latestVariant, releaseOf, type Release } from "./release.ts";

/** What a check goes by: the repository, and its tags taken apart. */
interface Checked {
  readonly inventory: Inventory;
  /** All tags but those that lead to attachments. */
  readonly tags: readonly string[];
  /** Versions with three numbers, the newest first. */
  readonly releases: readonly Release[];
  readonly past: TagHistory["repositories"][string];
  readonly at: (tag: string) => string;
  readonly heldAs: (tag: string) => Held | undefined;
}

/** What is not well with the tags of a repository, the worst first. `history` makes more of it known. */
export function checkTags(inventory: Inventory, history: TagHistory = noHistory): readonly TagFinding[] {
  const { repository } = inventory;
  const tags = [...inventory.tags.keys()].filter((tag) => subjectOfTag(tag) === undefined);
  const releases = tags
    .map(releaseOf)
    .filter((release) => release?.parts === 3)
    .toSorted((a, b) => b!.semver.compare(a!.semver)) as readonly Release[];
  const checked: Checked = {
    inventory,
    tags,
    releases,
    past: history.repositories[repository] ?? {},
    at: (tag) => `${repository}:${tag}`,
    heldAs: (tag) => inventory.manifests.get(inventory.tags.get(tag)!),
  };
  const found = checks.flatMap((check) => check(checked));
  const rank = { error: 0, warning: 1, info: 2 } as const;
  return found.toSorted((a, b) => rank[a.severity] - rank[b.severity]);
}

const checks: readonly ((checked: Checked) => readonly TagFinding[])[] = [
  overwritten,
  pushedAgain,
  aliasesBehind,
  preReleaseLatest,
  missingPlatforms,
  namesAlone,
  mixedPrefix,
  caseOnly,
  removed,
  leftBehind,
  unreadable,
];

const pinned = "publish what changed under a version of its own; tags.immutable keeps versions from being moved";

function overwritten({ releases, past, inventory, at }: Checked): readonly TagFinding[] {
  return releases.flatMap(({ tag }) => {
    const then = past[tag];
    if (!then) return [];
    const now = inventory.tags.get(tag)!;
    const earlier = [...(then.digest ? [then.digest] : []), ...(then.before ?? []).map(({ digest }) => digest)];
    const other = earlier.find((digest) => digest !== now);
    if (other === undefined) return [];
    const message = `${tag} named ${other} before, and names ${now} now`;
    return [{ severity: "error", rule: "overwritten", at: at(tag), message, advice: pinned }];
  });
}

/** Where a service tells when images came: a version that came after the next one of its line was published again, or late. */
function pushedAgain({ releases, heldAs, at, past }: Checked): readonly TagFinding[] {
  return releases.flatMap((release, i): readonly TagFinding[] => {
    const pushed = heldAs(release.tag)?.pushed;
    const next = releases
      .slice(0, i)
      .findLast((one) => isSameLine(one, release) && one.semver.compare(release.semver) > 0);
    const after = next && heldAs(next.tag)?.pushed;
    if (pushed === undefined || after === undefined || pushed <= after || past[release.tag]) return [];
    const when = new Date(pushed).toISOString().slice(0, 10);
    const came = `the image of ${release.tag} came on ${when}, after that of ${next!.tag}`;
    if (heldAs(release.tag)?.immutable) {
      const message = `${came}: it came late, or was published again before it was kept from being moved`;
      const advice = "its service keeps it from being moved now: nothing has to be done";
      return [{ severity: "info", rule: "overwritten", at: at(release.tag), message, advice }];
    }
    const message = `${came}: it was probably published again`;
    return [{ severity: "warning", rule: "overwritten", at: at(release.tag), message, advice: pinned }];
  });
}

/** Whether two versions differ in their last number or pre-release alone. */
const isSameLine = (a: Release, b: Release): boolean =>
  a.variant === b.variant && a.semver.major === b.semver.major && a.semver.minor === b.semver.minor;

function aliasesBehind({ tags, releases, inventory, at }: Checked): readonly TagFinding[] {
  const finals = releases.filter(({ semver }) => semver.prerelease.length === 0);
  return tags.flatMap((tag) => {
    const [alias, latest] = [releaseOf(tag), latestVariant(tag)];
    if (alias?.parts === 3 || (!alias && latest === undefined)) return [];
    const newest = finals.find((one) => (alias ? covers(alias, one) : one.variant === latest));
    if (!newest) return [];
    const [names, should] = [inventory.tags.get(tag)!, inventory.tags.get(newest.tag)!];
    if (names === should) return [];
    const now = releases.find((one) => inventory.tags.get(one.tag) === names);
    const message = `${tag} is ${now?.tag ?? names}, and the newest version that it stands for is ${newest.tag}`;
    const advice = `gantry tag ${at(newest.tag)} ${tag}; or all of them, with --plan`;
    return [{ severity: "warning", rule: "alias-behind", at: at(tag), message, advice, digest: should }];
  });
}

function preReleaseLatest({ tags, releases, inventory, at }: Checked): readonly TagFinding[] {
  return tags
    .filter((tag) => latestVariant(tag) !== undefined)
    .flatMap((tag) => {
      const own = releases.filter((one) => inventory.tags.get(one.tag) === inventory.tags.get(tag));
      if (own.length === 0 || own.some(({ semver }) => semver.prerelease.length === 0)) return [];
      const message = `${tag} is ${own[0]!.tag}, which is a pre-release: whoever says no version gets it`;
      return [
        { severity: "warning", rule: "prerelease-latest", at: at(tag), message, advice: "leave latest to releases" },
      ];
    });
}

function missingPlatforms({ releases, heldAs, at }: Checked): readonly TagFinding[] {
  return releases.flatMap((release, i) => {
    const before = releases.slice(i + 1).find(({ variant }) => variant === release.variant);
    const [own, had] = [heldAs(release.tag)?.platforms, before && heldAs(before.tag)?.platforms];
    const missing = own && had ? had.filter((platform) => !own.includes(platform)) : [];
    if (missing.length === 0) return [];
    const message = `${release.tag} is not there for ${missing.join(", ")}, and ${before!.tag} is`;
    const advice = "build it for them too; if they were given up, nothing has to be done";
    return [{ severity: "warning", rule: "missing-platforms", at: at(release.tag), message, advice }];
  });
}

const date = /^\d{4}([-.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?:[-._T]?\d{2,6})?$/;

function namesAlone({ tags, inventory: { repository } }: Checked): readonly TagFinding[] {
  const others = tags.filter((tag) => latestVariant(tag) === undefined);
  const advice = "publish each image under its version or commit too: gantry tags plan";
  if (tags.length > 0 && others.length === 0) {
    const message = `all that there is is ${tags.join(", ")}: nobody can say which image runs, or go back to the one before`;
    return [{ severity: "warning", rule: "only-latest", at: repository, message, advice }];
  }
  if (others.length === 0 || !others.every((tag) => date.test(tag))) return [];
  const message = `the tags are dates alone (${others.at(-1)}): nobody can tell a fix from a break by them`;
  return [{ severity: "info", rule: "only-dates", at: repository, message, advice }];
}

function mixedPrefix({ releases, inventory: { repository } }: Checked): readonly TagFinding[] {
  const [withV, without] = [
    releases.filter(({ prefix }) => prefix === "v"),
    releases.filter(({ prefix }) => prefix === ""),
  ];
  if (withV.length === 0 || without.length === 0) return [];
  const message = `${withV.length} versions are written as ${withV[0]!.tag}, and ${without.length} as ${without[0]!.tag}`;
  const advice = "choose one, and give the other form only to versions that have it already";
  return [{ severity: "info", rule: "mixed-prefix", at: repository, message, advice }];
}

function caseOnly({ tags, inventory: { repository } }: Checked): readonly TagFinding[] {
  return [...Map.groupBy(tags, (tag) => tag.toLowerCase()).values()]
    .filter((group) => group.length > 1)
    .map((group) => ({
      severity: "warning",
      rule: "case-only",
      at: repository,
      message: `${group.join(", ")} differ in upper and lower case only, and are mistaken for each other`,
      advice: "write tags in lower case",
    }));
}

function removed({ past, inventory, at }: Checked): readonly TagFinding[] {
  if (inventory.gaps.length > 0) return [];
  return Object.entries(past)
    .filter(([tag, { digest }]) => digest && !inventory.tags.has(tag) && releaseOf(tag)?.parts === 3)
    .map(([tag, { digest }]) => ({
      severity: "info",
      rule: "removed",
      at: at(tag),
      message: `${tag} is gone; it named ${digest}`,
      advice: "if it was not meant, push it again; tags that are in use can be protected from deletion",
    }));
}

/** Images without a tag that nothing else needs: those a tag named before it moved on. */
function leftBehind({ inventory, past }: Checked): readonly TagFinding[] {
  const { manifests, tags, repository } = inventory;
  const kept = needed(
    inventory,
    [...tags.values()].map((digest) => ({ digest, why: "" })),
  );
  const parts = new Set([...manifests.values()].flatMap(({ children }) => children));
  const loose = [...manifests.values()].filter(
    ({ digest, subject }) => !kept.has(digest) && !subject && !parts.has(digest),
  );
  if (loose.length === 0) return [];
  const names = new Map<Digest, string>();
  for (const [tag, { before = [] }] of Object.entries(past)) for (const { digest } of before) names.set(digest, tag);
  const shown = loose
    .slice(0, 3)
    .map(({ digest }) => `${digest}${names.has(digest) ? ` (${names.get(digest)} once)` : ""}`);
  const more = loose.length > shown.length ? `, and ${loose.length - shown.length} more` : "";
  const message = `no tag leads to ${shown.join(", ")}${more}: tags moved on from them`;
  const advice = "where they may go, gantry retain takes them away; versions that never move leave none behind";
  return [{ severity: "info", rule: "left-behind", at: repository, message, advice }];
}

function unreadable({ inventory: { gaps } }: Checked): readonly TagFinding[] {
  return gaps.map(({ at, why }) => ({
    severity: "warning",
    rule: "unreadable",
    at,
    message: `it cannot be read: ${why}`,
    advice: `gantry check ${at}`,
  }));
}
