import { checked, type Document } from "../../../document/document.ts";
import { formatReference, parseReference } from "../../../oci/reference.ts";
import type { Mapping, SyncSettings, TagSet } from "../sync-file.ts";
import { parseBackup } from "../backup.ts";
import { fillTemplate, type TemplateData } from "./go-template.ts";
import { repositoriesLike, wholeRegex } from "./go-regex.ts";
import { draftOf, loseUnknown, type Draft, type Path, type SyncImport } from "./imported.ts";
import { cronOfInterval, goDuration } from "./interval.ts";
import { rangeLoss, regsyncRanges } from "./ranges.ts";
import {
  regsyncKeys,
  regsyncSchema,
  type RegsyncEntry,
  type RegsyncFile,
  type RegsyncSet,
  type RegsyncSettings,
} from "./regsync-schema.ts";

const settingKeys = ["backup", "interval", "schedule", "ratelimit", "referrers"];
const setKeys = ["tags", "tagSets", "repos"];
const entryKeys = [...settingKeys, ...setKeys, "source", "target", "type", "platform", "platforms"];

/** Reads a file of regsync (regclient, docs/regsync.md). Templates in source and target are filled in as regsync does when it reads the file. */
export function importRegsync(document: Document): SyncImport {
  const file = checked(regsyncSchema, document);
  const draft = draftOf(document);
  loseUnknown(draft, file, [], ["version", "creds", "defaults", "sync"]);
  loseCredentials(draft, file);
  const own = file.defaults ?? {};
  const defaults = settingsOf(draft, own, ["defaults"]);
  loseKeys(draft, own, ["defaults"], settingKeys);
  if (!(file.sync ?? []).some((entry) => entry.referrers ?? own.referrers)) {
    draft.lose(
      ["sync"],
      "what is attached to images (signatures, SBOMs) goes along; `referrers: false` leaves it, as regsync does",
    );
  }
  for (const [i, entry] of (file.sync ?? []).entries()) {
    const path = ["sync", i];
    loseKeys(draft, entry, path, entryKeys);
    const [places, tags] = [placesOf(draft, entry, path), tagsOf(draft, entry, path)];
    if (places && tags !== "nothing") {
      draft.add({ ...places, ...tags, ...platformsOf(entry), ...settingsOf(draft, entry, path) });
    }
  }
  return draft.done(defaults);
}

function loseKeys(draft: Draft, value: object, path: Path, known: readonly string[]): void {
  loseUnknown(draft, value, path, [...known, ...Object.keys(regsyncKeys)]);
  for (const [key, message] of Object.entries(regsyncKeys)) {
    if (Object.hasOwn(value, key)) draft.lose([...path, key], message);
  }
}

function loseCredentials(draft: Draft, { creds }: RegsyncFile): void {
  for (const [i, one] of (creds ?? []).entries()) {
    const host = one.registry ?? "HOST";
    for (const key of Object.keys(one)) {
      const path = ["creds", i, key];
      if (key === "user" || key === "pass" || key === "credHelper")
        draft.lose(path, `is not taken over: log in with gantry login ${host}`);
      else if (key === "tls" && one.tls === "disabled")
        draft.lose(path, `belongs into gantry.yaml: hosts, ${host}, plainHttp: true`);
      else if (key === "tls" && one.tls === "insecure")
        draft.lose(path, `belongs into gantry.yaml: hosts, ${host}, insecure: true`);
      else if (key !== "registry" && key !== "tls")
        draft.lose(path, `belongs into gantry.yaml, under hosts, ${host}, where it is needed`);
    }
  }
}

function settingsOf(draft: Draft, from: RegsyncSettings, path: Path): SyncSettings {
  const backup = from.backup ? backupOf(draft, from.backup, [...path, "backup"]) : undefined;
  const min = from.ratelimit?.min;
  if (from.ratelimit && "retry" in from.ratelimit)
    draft.lose([...path, "ratelimit", "retry"], "is left out: how long to wait is read from the registry's answers");
  return {
    ...(typeof from.referrers === "boolean" && { referrers: from.referrers }),
    ...scheduleOf(draft, from, path),
    ...(min !== undefined && min > 0 && { quotaReserve: min }),
    ...(backup !== undefined && { backup }),
  };
}

function backupOf(draft: Draft, text: string, path: Path): string | undefined {
  const backup = fillTemplate(text, { ".Ref.Tag": "{tag}" });
  if (backup === undefined)
    return draft.lose(path, "has a template that cannot be said: nothing is kept of what is overwritten");
  try {
    parseBackup(backup);
    return backup;
  } catch {
    return draft.lose(path, "makes no tags of the same repository: nothing is kept of what is overwritten");
  }
}

function scheduleOf(draft: Draft, { schedule, interval }: RegsyncSettings, path: Path): SyncSettings {
  const [, every] = /^@every\s+(\S+)$/.exec(schedule ?? "") ?? [];
  if (schedule && every === undefined) {
    const [, timezone, rest] = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(schedule) ?? [];
    if (timezone !== undefined) return { schedule: rest!, timezone };
    draft.lose(
      [...path, "schedule"],
      "is in UTC here, and in the machine's time zone in regsync: say `timezone`, if it matters",
    );
    return { schedule };
  }
  const given = every ?? interval;
  if (given === undefined || given === null || given === 0) return {};
  const key = every === undefined ? "interval" : "schedule";
  const ms = typeof given === "number" ? given / 1e6 : goDuration(given);
  if (ms === undefined || ms <= 0) return draft.lose([...path, key], "is no duration, and left out") ?? {};
  const cron = cronOfInterval(ms);
  if (!cron.exact) draft.lose([...path, key], `has no even cron: ${cron.schedule} comes next`);
  return { schedule: cron.schedule };
}

function platformsOf({ platform, platforms }: RegsyncEntry): SyncSettings {
  const all = platforms && platforms.length > 0 ? platforms : platform ? [platform] : [];
  return all.length > 0 ? { platforms: all } : {};
}

function placesOf(draft: Draft, entry: RegsyncEntry, path: Path): Pick<Mapping, "from" | "to"> | undefined {
  const data: TemplateData = { ".Sync.Type": entry.type, ".Sync.Source": entry.source };
  const source = fillTemplate(entry.source, data);
  if (source === undefined)
    return draft.lose([...path, "source"], "has a template that cannot be said: the entry is left out");
  const target = fillTemplate(entry.target, { ...data, ".Sync.Source": source });
  if (target === undefined)
    return draft.lose([...path, "target"], "has a template that cannot be said: the entry is left out");
  if (entry.type === "registry") return registryOf(draft, entry, path, source, target);
  const [from, to] = [placeOf(source, entry.type), placeOf(target, entry.type)];
  if (from === undefined) return draft.lose([...path, "source"], "is no reference: the entry is left out");
  if (to === undefined) return draft.lose([...path, "target"], "is no reference: the entry is left out");
  if (entry.type === "image" || entry.type === "repository") return { from, to };
  return draft.lose([...path, "type"], "is none of image, repository and registry: the entry is left out");
}

/** A reference as regclient reads it, in full: an image without a tag has the tag latest; `ocidir://` is a layout. */
function placeOf(text: string, type: string): string | undefined {
  if (text.startsWith("ocidir://")) return `oci:${text.slice("ocidir://".length)}`;
  try {
    const reference = parseReference(text);
    const bare = reference.tag === undefined && reference.digest === undefined;
    return formatReference(type === "image" && bare ? { ...reference, tag: "latest" } : reference);
  } catch {
    return undefined;
  }
}

function registryOf(
  draft: Draft,
  { repos }: RegsyncEntry,
  path: Path,
  source: string,
  target: string,
): Pick<Mapping, "from" | "to"> | undefined {
  const read = (key: "allow" | "deny"): (string | undefined)[] =>
    (repos?.[key] ?? []).map((one, i) => {
      const regex = wholeRegex(`^${one}$`);
      return regex ?? draft.lose([...path, "repos", key, i], "cannot be said, and is left out");
    });
  const [allow, deny] = [read("allow"), read("deny")];
  if (deny.includes(undefined)) return draft.lose(path, "is left out, as it would copy too much");
  const allowed = allow.length > 0 ? allow.filter((one) => one !== undefined) : [".*"];
  const but = deny.length > 0 ? `(?!(?:${deny.join("|")})$)` : "";
  const from = allowed.map((one) => repositoriesLike(source, but === "" ? one : `${but}(?:${one})`));
  return from.length > 0 ? { from: from.length === 1 ? from[0]! : from, to: `${target}/{repository}` } : undefined;
}

/** The sets of tags; `nothing` where none of them can be said, and all tags would be too many. */
function tagsOf(draft: Draft, { tags, tagSets, type }: RegsyncEntry, path: Path): { tags?: TagSet[] } | "nothing" {
  if (type === "image") return {};
  const given: (readonly [RegsyncSet, Path])[] = (tagSets ?? []).map((set, i) => [set, [...path, "tagSets", i]]);
  const says = (set: RegsyncSet): boolean =>
    [set.allow, set.deny, set.semverRange].some((one) => (one ?? []).length > 0);
  if (tags && says(tags)) given.push([tags, [...path, "tags"]]);
  if (given.length === 0) return {};
  const sets = given.map(([set, at]) => setOf(draft, set, at)).filter((set) => set !== undefined);
  if (sets.length > 0) return { tags: sets };
  draft.lose(path, "no tag is left to select: the entry is left out");
  return "nothing";
}

function setOf(draft: Draft, set: RegsyncSet, path: Path): TagSet | undefined {
  loseUnknown(draft, set, path, ["allow", "deny", "semverRange"]);
  const patterns = (key: "allow" | "deny"): (string | undefined)[] =>
    (set[key] ?? []).map((one, i) => {
      const text = String(one);
      if (/^[\w-]+$/.test(text)) return text;
      const regex = wholeRegex(`^${text}$`);
      return regex === undefined ? draft.lose([...path, key, i], "cannot be said, and is left out") : `/${regex}/`;
    });
  const [allow, deny] = [patterns("allow"), patterns("deny")];
  const include = allow.filter((one) => one !== undefined);
  if (deny.includes(undefined)) return draft.lose(path, "is left out, as it would select too much");
  if (allow.length > 0 && include.length === 0) return undefined;
  const ranges = (set.semverRange ?? []).map(String);
  const range = ranges.length > 0 ? regsyncRanges(ranges) : {};
  if (!range) return draft.lose([...path, "semverRange"], "cannot be said: the set is left out");
  if (ranges.length > 0) draft.lose([...path, "semverRange"], rangeLoss);
  const exclude = [...(deny as string[]), ...(range.exclude ?? [])];
  return { ...range, ...(include.length > 0 && { include }), ...(exclude.length > 0 && { exclude }) };
}
