import type { Quirks } from "./quirks.ts";

const mounts: Readonly<Record<Quirks["mount"], string>> = {
  yes: "blobs are mounted from other repositories",
  no: "no blobs are mounted from other repositories",
  setting: "blobs are mounted from other repositories where a setting allows it",
  "same project": "blobs are mounted from other repositories of the same project",
};
const referrers: Readonly<Record<Quirks["referrers"], string>> = {
  api: "what is attached to an image is listed by the referrers API",
  tags: "what is attached to an image is listed under sha256- tags: there is no referrers API",
  differs: "what is attached to an image is listed by the referrers API, or under sha256- tags",
};
const catalogs: Readonly<Record<Quirks["catalog"], string>> = {
  everybody: "_catalog lists the repositories",
  administrators: "_catalog lists the repositories for administrators alone",
  "by scope": "_catalog lists the repositories to those whose token allows it",
  nobody: "there is no _catalog",
};
const tagDeletes: Readonly<Record<Quirks["deleteTag"], string>> = {
  untags: "DELETE of a tag takes the tag alone",
  refused: "DELETE of a tag is refused",
  "deletes the image": "DELETE of a tag takes the image and all its tags",
  differs: "DELETE of a tag takes the tag alone, or is refused",
};
const digestDeletes: Readonly<Record<Quirks["deleteDigest"], string>> = {
  "all tags too": "DELETE of a digest takes all its tags too",
  "refused while tagged": "DELETE of a digest is refused while it has tags",
  refused: "DELETE of a digest is refused",
};
const creations: Readonly<Record<Quirks["createOnPush"], string>> = {
  yes: "a push makes the repository",
  no: "a push does not make the repository: it has to be created first",
  setting: "a push makes the repository where a setting says so",
  "in a project": "a push makes the repository in a project that is there",
};
const lists: Readonly<Record<Quirks["lists"], string>> = {
  manifests: "its own list has every manifest, parts and what is attached too",
  images: "its own list has images with and without tags, not their parts",
  tags: "nothing lists images without tags",
};
const manifestGets: Readonly<Record<Quirks["manifestGet"], string | undefined>> = {
  free: undefined,
  limited: "each GET of a manifest counts against a limit of pulls",
  recorded: "a GET of a manifest counts as its last pull",
};
const orders: Readonly<Record<Quirks["tagOrder"], string>> = {
  "by name": "by name",
  "oldest first": "the oldest first",
  none: "in no order",
};

/** In what a service differs from others, a line for each thing, for people. */
export function describeQuirks(quirks: Quirks): readonly string[] {
  const { upload, pages, tokenSeconds, rateHeaders } = quirks;
  const { largestBody, largestLayer } = upload;
  return [
    creations[quirks.createOnPush],
    tagDeletes[quirks.deleteTag],
    ...(quirks.lastTag === undefined ? [] : ["an image goes with its last tag"]),
    digestDeletes[quirks.deleteDigest],
    referrers[quirks.referrers],
    catalogs[quirks.catalog],
    mounts[quirks.mount],
    lists[quirks.lists],
    ...(manifestGets[quirks.manifestGet] ? [manifestGets[quirks.manifestGet]!] : []),
    `blobs are sent ${waysOf(upload)}`,
    ...(largestBody === undefined ? [] : [`a request has at most ${sizeOf(largestBody)}`]),
    ...(largestLayer === undefined ? [] : [`a layer has at most ${sizeOf(largestLayer)}`]),
    `tags come ${orders[quirks.tagOrder]}, at most ${pages.tags} a page`,
    ...(pages.api === undefined ? [] : [`its own lists have at most ${pages.api} entries a page`]),
    ...(tokenSeconds === undefined ? [] : [`a login lasts ${spanOf(tokenSeconds)}`]),
    ...(rateHeaders.length === 0 ? [] : [`limits are told in ${rateHeaders.join(", ")}`]),
    ...quirks.lies.map(({ status, means }) => `an answer ${status} may mean: ${means}`),
  ];
}

function waysOf({ whole, chunks }: Quirks["upload"]): string {
  if (whole && chunks) return "in one request or in chunks";
  return whole ? "in one request, not in chunks" : "in chunks alone";
}

const sizes = [
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
] as const;

function sizeOf(bytes: number): string {
  const [unit, factor] = sizes.find(([, factor]) => bytes >= factor) ?? ["B", 1];
  return `${Number((bytes / factor).toFixed(1))} ${unit}`;
}

const spans = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

function spanOf(seconds: number): string {
  const [unit, factor] = spans.find(([, factor]) => seconds >= factor && seconds % factor === 0) ?? ["second", 1];
  const amount = seconds / factor;
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}
