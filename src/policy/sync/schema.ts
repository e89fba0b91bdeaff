import { Cron } from "croner";
import { Range } from "semver";
import * as v from "valibot";
import { readSize, readSpan } from "../../config/quantity.ts";
import { isRegistryError } from "../../oci/error.ts";
import { parsePlatform } from "../../oci/platform.ts";
import { parsePattern } from "../pattern.ts";
import { count, countFrom } from "../../plan/schema.ts";
import { parseBackup } from "./backup.ts";
import { registryNamed } from "./budget.ts";
import { parseFrom } from "./origin.ts";
import type { SyncFile } from "./sync-file.ts";
import { parseTemplate } from "./template.ts";

const text = v.pipe(v.string(), v.nonEmpty("is empty"));
const flag = v.boolean();

/** A text that something can read; what is thrown there is what is wrong. */
const readable = (read: (value: string) => unknown, wrong?: string) =>
  v.pipe(
    text,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed || dataset.value === "") return;
      try {
        if (read(dataset.value) !== undefined) return;
        addIssue({ message: wrong! });
      } catch (error) {
        const hint = isRegistryError(error) && error.hint !== undefined ? ` (${error.hint})` : "";
        addIssue({ message: wrong ?? `${(error as Error).message}${hint}` });
      }
    }),
  );

/** One text, or a list of them, as they were written. */
const oneOrMore = (one: v.GenericSchema<unknown, string>) =>
  v.union([one, v.pipe(v.array(one), v.minLength(1, "names nothing"))], "is neither a text nor a list of texts");

const pattern = readable(parsePattern);
const patterns = v.array(pattern);
const size = readable(readSize, "is no size such as 20MB");
const span = readable(readSpan, "is no time such as 12h or 30d");
const zone = readable((name) => new Intl.DateTimeFormat("en", { timeZone: name }), "is no time zone");
const schedule = readable((fields) => new Cron(fields, { mode: "5-part" }), "is no cron schedule of five fields");

const tagSet = v.strictObject({
  include: v.exactOptional(patterns),
  exclude: v.exactOptional(patterns),
  semver: v.exactOptional(readable((range) => new Range(range, { loose: true }), "is no range of versions")),
  prereleases: v.exactOptional(flag),
  newest: v.exactOptional(countFrom(1)),
  by: v.exactOptional(v.picklist(["semver", "created", "pushed", "name"])),
  within: v.exactOptional(span),
  atLeast: v.exactOptional(count),
});

const prune = v.strictObject({
  only: v.exactOptional(patterns),
  protect: v.exactOptional(patterns),
  maxDelete: v.exactOptional(
    v.union(
      [
        count,
        v.pipe(v.string(), v.regex(/^(?:100|\d{1,2})(?:\.\d+)?%$/, "is neither a number nor a part such as 10%")),
      ],
      "is neither a number nor a part such as 10%",
    ),
  ),
  atLeast: v.exactOptional(count),
});

const settings = {
  tags: v.exactOptional(v.array(tagSet)),
  platforms: v.exactOptional(v.pipe(v.array(readable(parsePlatform)), v.minLength(1, "names no platform"))),
  referrers: v.exactOptional(flag),
  require: v.exactOptional(v.array(text)),
  immutable: v.exactOptional(patterns),
  overwrite: v.exactOptional(
    v.union([v.literal(true), v.picklist(["error", "keep"])], 'has to be true, "error" or "keep"'),
  ),
  prune: v.exactOptional(v.union([flag, prune], "is neither true, false nor an object")),
  create: v.exactOptional(flag),
  schedule: v.exactOptional(schedule),
  timezone: v.exactOptional(zone),
  jitter: v.exactOptional(span),
  limitRate: v.exactOptional(size),
  quotaReserve: v.exactOptional(count),
  backup: v.exactOptional(readable(parseBackup)),
};

const limits = { bytes: v.exactOptional(size), pulls: v.exactOptional(count) };

/** The form of a file of what is kept in sync, version 1. */
export const syncFileSchema: v.GenericSchema<unknown, SyncFile> = v.strictObject({
  version: v.literal(1, "is a version that this Gantry does not know: it has to be 1"),
  budget: v.exactOptional(
    v.strictObject({
      ...limits,
      registries: v.exactOptional(
        v.record(readable(registryNamed, "is no name of a registry"), v.strictObject(limits)),
      ),
    }),
  ),
  defaults: v.exactOptional(v.strictObject(settings)),
  sync: v.pipe(
    v.array(
      v.strictObject({
        ...settings,
        name: v.exactOptional(text),
        from: oneOrMore(readable(parseFrom)),
        to: oneOrMore(readable(parseTemplate)),
      }),
    ),
    v.minLength(1, "keeps nothing in sync"),
  ),
});
