import * as v from "valibot";
import { checked, type Document } from "../../../document/document.ts";
import { isDigest } from "../../../oci/digest.ts";
import { formatReference, parseReference } from "../../../oci/reference.ts";
import type { Mapping } from "../sync-file.ts";
import { dregsyTags } from "./dregsy-tags.ts";
import { globOfRegex, repositoriesLike, wholeRegex } from "./go-regex.ts";
import { draftOf, loseUnknown, type Draft, type Path, type SyncImport } from "./imported.ts";
import { cronOfInterval } from "./interval.ts";

const location = v.looseObject({ registry: v.string() });
const mapping = v.looseObject({
  from: v.string(),
  to: v.optional(v.nullable(v.string())),
  tags: v.optional(v.nullable(v.array(v.union([v.string(), v.number()])))),
  platform: v.optional(v.nullable(v.string())),
});
const task = v.looseObject({
  name: v.string(),
  interval: v.optional(v.nullable(v.number())),
  source: location,
  target: location,
  mappings: v.array(mapping),
});
const schema = v.looseObject({ tasks: v.array(task) });
type Task = v.InferOutput<typeof task>;
type DregsyMapping = v.InferOutput<typeof mapping>;

const relays = "is left out: images are copied directly, without skopeo or Docker";
const topKeys: Readonly<Record<string, string>> = {
  relay: relays,
  skopeo: relays,
  docker: relays,
  dockerhost: relays,
  "api-version": relays,
  lister: "is left out: repositories are listed by their service",
  watch: "is left out: `gantry sync --watch` reads its file again whenever it changes",
};

/** Reads a file of dregsy (xelalexv/dregsy, README.md). */
export function importDregsy(document: Document): SyncImport {
  const file = checked(schema as v.GenericSchema<unknown, v.InferOutput<typeof schema>>, document);
  const draft = draftOf(document);
  loseUnknown(draft, file, [], ["tasks", ...Object.keys(topKeys)]);
  for (const [key, message] of Object.entries(topKeys)) if (Object.hasOwn(file, key)) draft.lose([key], message);
  for (const [i, one] of file.tasks.entries()) addTask(draft, one, ["tasks", i]);
  return draft.done();
}

function addTask(draft: Draft, task: Task, path: Path): void {
  loseUnknown(draft, task, path, ["name", "interval", "verbose", "source", "target", "mappings"]);
  for (const side of ["source", "target"] as const) loseAccess(draft, task[side], [...path, side]);
  const cron = task.interval ? cronOfInterval(task.interval * 1000) : undefined;
  if (cron && !cron.exact) draft.lose([...path, "interval"], `has no even cron: ${cron.schedule} comes next`);
  for (const [i, mapping] of task.mappings.entries()) {
    const at = [...path, "mappings", i];
    loseUnknown(draft, mapping, at, ["from", "to", "tags", "platform"]);
    const places = placesOf(draft, task, mapping, at);
    if (!places) continue;
    const common = {
      name: task.name,
      ...platformsOf(draft, mapping, at),
      ...(cron && { schedule: cron.schedule }),
    };
    addMapping(draft, { ...common, ...places }, mapping, at);
  }
}

function loseAccess(draft: Draft, side: Task["source"], path: Path): void {
  loseUnknown(draft, side, path, ["registry", "auth", "auth-refresh", "skip-tls-verify", "lister"]);
  const host = side.registry;
  if ("auth" in side) draft.lose([...path, "auth"], `is not taken over: log in with gantry login ${host}`);
  if ("auth-refresh" in side)
    draft.lose([...path, "auth-refresh"], "is left out: logins of services are renewed by themselves");
  if ("lister" in side) draft.lose([...path, "lister"], "is left out: repositories are listed by their service");
  if (side["skip-tls-verify"] === true)
    draft.lose([...path, "skip-tls-verify"], `belongs into gantry.yaml: hosts, ${host}, insecure: true`);
}

function platformsOf(draft: Draft, { platform }: DregsyMapping, path: Path): Pick<Mapping, "platforms"> {
  if (platform === "all") return {};
  if (!platform) {
    draft.lose(path, "has no platform: dregsy copies that of its own machine alone, and here all of them are");
    return {};
  }
  return { platforms: [platform] };
}

/** Adds a mapping for its tags, and one for each digest. */
function addMapping(draft: Draft, base: Mapping, { tags = [] }: DregsyMapping, path: Path): void {
  const all = (tags ?? []).map((tag) => String(tag).trim());
  const pinned = all.filter((tag) => isDigest(tag.slice(tag.indexOf("@") + 1)));
  for (const tag of pinned) {
    const [name, digest] = [tag.slice(0, Math.max(tag.indexOf("@"), 0)), tag.slice(tag.indexOf("@") + 1)];
    const [from, to] = [String(base.from), String(base.to)];
    draft.add({ ...base, from: `${from}@${digest}`, to: name === "" ? to : `${to}:${name}` });
  }
  const rest = all.filter((tag) => !pinned.includes(tag));
  const selects = rest.some((tag) => !tag.startsWith("keep:"));
  if (pinned.length > 0 && !selects) return;
  const sets = dregsyTags(draft, rest, [...path, "tags"]);
  if (sets !== "nothing") draft.add({ ...base, ...(sets.length > 0 && { tags: sets }) });
}

const regexMark = "regex:";

function placesOf(
  draft: Draft,
  task: Task,
  { from, to }: DregsyMapping,
  path: Path,
): Pick<Mapping, "from" | "to"> | undefined {
  const [source, target] = [task.source.registry, task.target.registry];
  const tooMuch = "cannot be said: the mapping is left out";
  if (!from.startsWith(regexMark)) {
    const name = from.replace(/^\//, "");
    const renamed = renamedBy(to, name, false);
    if (renamed === undefined) return draft.lose([...path, "to"], tooMuch);
    const [full, place] = [fullName(`${source}/${name}`), fullName(`${target}/${renamed}`)];
    return full === undefined || place === undefined
      ? draft.lose([...path, full === undefined ? "from" : "to"], "is no name of a repository: the mapping is left out")
      : { from: full, to: place };
  }
  const text = from.slice(regexMark.length);
  const regex = wholeRegex(`${text.startsWith("^") ? "" : "^"}${text}${text.endsWith("$") ? "" : "$"}`);
  if (regex === undefined) return draft.lose([...path, "from"], tooMuch);
  const like = repositoriesLike(source, regex);
  if (!to || !to.startsWith(regexMark)) {
    const folder = to ? `${to.replace(/^\/|\/$/g, "")}/` : "";
    return { from: like, to: `${target}/${folder}{repository}` };
  }
  const glob = globOfRegex(regex) ?? "";
  const folder = glob.slice(0, glob.lastIndexOf("/") + 1);
  const moved = renamedBy(to, folder, true);
  if (moved === undefined || folder === "") return draft.lose([...path, "to"], tooMuch);
  draft.lose([...path, "from"], "is taken to mean repositories right in that folder");
  return { from: `${source}/${glob.replaceAll("**", "*")}`, to: `${target}/${moved}{name}` };
}

/** A name as `to` changes it; undefined where that cannot be worked out. With `literal`, only where `to` looks for a text that the name has. */
function renamedBy(to: string | null | undefined, name: string, literal: boolean): string | undefined {
  if (!to) return name;
  if (!to.startsWith(regexMark)) return to.replace(/^\//, "");
  const [pattern = "", ...rest] = to.slice(regexMark.length).split(",");
  const by = rest.join(",");
  if (rest.length === 0 || (literal && (!/^[\w\-/]+$/.test(pattern) || !name.includes(pattern)))) return undefined;
  try {
    // Go's names of groups are as long as they can be: `$1x` is the group called 1x, which is empty.
    const replacement = by.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
      const group = braced ?? bare!;
      return /^\d$/.test(group) ? `$${group}` : "";
    });
    return name.replace(new RegExp(pattern, "g"), replacement).replace(/^\//, "");
  } catch {
    return undefined;
  }
}

function fullName(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch {
    return undefined;
  }
}
