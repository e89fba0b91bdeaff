import * as v from "valibot";

const text = v.optional(v.nullable(v.string()));
const flag = v.optional(v.nullable(v.boolean()));
const list = v.optional(v.nullable(v.array(v.union([v.string(), v.number()]))));
const duration = v.optional(v.nullable(v.union([v.string(), v.number()])));
const set = v.looseObject({ allow: list, deny: list, semverRange: list });

const common = {
  backup: text,
  interval: duration,
  schedule: text,
  ratelimit: v.optional(v.nullable(v.looseObject({ min: v.optional(v.number()) }))),
  referrers: flag,
};

/** What of a regsync file is read (regclient, cmd/regsync/config.go); the rest is looked at by its keys alone. */
export const regsyncSchema: v.GenericSchema<unknown, RegsyncFile> = v.looseObject({
  creds: v.optional(v.nullable(v.array(v.looseObject({ registry: text, tls: text })))),
  defaults: v.optional(v.nullable(v.looseObject(common))),
  sync: v.optional(
    v.nullable(
      v.array(
        v.looseObject({
          ...common,
          source: v.string(),
          target: v.string(),
          type: v.string(),
          tags: v.optional(v.nullable(set)),
          tagSets: v.optional(v.nullable(v.array(set))),
          repos: v.optional(v.nullable(set)),
          platform: text,
          platforms: v.optional(v.nullable(v.array(v.string()))),
        }),
      ),
    ),
  ),
});

type Words = readonly (string | number)[] | null | undefined;

export interface RegsyncSet {
  readonly allow?: Words;
  readonly deny?: Words;
  readonly semverRange?: Words;
}

export interface RegsyncSettings {
  readonly backup?: string | null | undefined;
  readonly interval?: string | number | null | undefined;
  readonly schedule?: string | null | undefined;
  readonly ratelimit?: { readonly min?: number | undefined } | null | undefined;
  readonly referrers?: boolean | null | undefined;
}

export interface RegsyncEntry extends RegsyncSettings {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly tags?: RegsyncSet | null | undefined;
  readonly tagSets?: readonly RegsyncSet[] | null | undefined;
  readonly repos?: RegsyncSet | null | undefined;
  readonly platform?: string | null | undefined;
  readonly platforms?: readonly string[] | null | undefined;
}

export interface RegsyncFile {
  readonly creds?:
    | readonly { readonly registry?: string | null | undefined; readonly tls?: string | null | undefined }[]
    | null
    | undefined;
  readonly defaults?: RegsyncSettings | null | undefined;
  readonly sync?: readonly RegsyncEntry[] | null | undefined;
}

const skipped = "is not needed here, and left out";
const elsewhere = (key: string): string => `is said in gantry.yaml here: ${key}`;

/** What becomes of the keys that no mapping of ours has. */
export const regsyncKeys: Readonly<Record<string, string>> = {
  cacheCount: skipped,
  cacheTime: skipped,
  fastCheck: skipped,
  forceRecursive: `${skipped}: what is missing below an image is always seen`,
  digestTags: "makes no difference: sha256-* tags go along wherever referrers do",
  skipDockerConfig: "is left out: Docker's logins are used",
  userAgent: "is left out: headers can be said in gantry.yaml",
  blobLimit: "is left out: layers may be as large as they are",
  parallel: elsewhere("jobs"),
  hooks: "is left out: run commands around `gantry sync`, which ends with 6 where some failed",
  mediaTypes: "is left out: images of all media types are copied",
  includeExternal: "is left out: layers that are elsewhere stay there",
  referrerFilters: "is left out: all that is attached goes along",
  referrerSource: "is left out: what is attached is read where the image is",
  referrerTarget: "is left out: what is attached goes where the image goes",
  referrerSlow: skipped,
};
