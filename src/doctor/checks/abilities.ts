import { isObject } from "../../oci/descriptor.ts";
import { digestOf, isDigest, type Digest } from "../../oci/digest.ts";
import { isRegistryError } from "../../oci/error.ts";
import { bareMediaType, manifestAccept, mediaTypes } from "../../oci/media-types.ts";
import { nextLink } from "../../store/remote/pages.ts";
import { ask, type Answer } from "../ask.ts";
import type { Bench } from "../context.ts";
import { fine, skipped, type Ability, type Diagnosis, type Step } from "../diagnosis.ts";
import type { Place } from "../place.ts";
import { isMetered } from "./limit.ts";
import type { Pulled } from "./pull.ts";

/** What an ability is called. */
const abilityNames: Readonly<Record<Ability, string>> = {
  referrers: "referrers API",
  catalog: "list of repositories",
  ranges: "parts of blobs",
  paging: "tags in pages",
  chunks: "uploads in chunks",
  mount: "mounts of blobs",
  untag: "deleting a tag alone",
};

/** An ability that the registry has, or has not; undefined where nobody knows. */
export function told(ability: Ability, host: string, supported: boolean | undefined, why = ""): Diagnosis {
  const said = supported === undefined ? "not known" : supported ? "yes" : "no";
  const message = `${abilityNames[ability]}: ${said}${why && `, ${why}`}`;
  const more = { host, ability, ...(supported !== undefined && { supported }) };
  return supported === undefined ? skipped("abilities", message, more) : fine("abilities", message, more);
}

/** What the registry can do, learned by reading alone, all at once; a request that fails leaves it unknown. */
export async function readAbilities(place: Place, pulled: Pulled, bench: Bench): Promise<Step<never>> {
  const { host, reference } = place;
  const catalog = probe("catalog", host, bench, (bench) => hasCatalog(host, bench));
  if (!reference) return { told: [await catalog] };
  const inside: Inside = { host, repository: reference.repository, pulled };
  return {
    told: await Promise.all([
      probe("referrers", host, bench, (bench) => hasReferrers(inside, bench)),
      catalog,
      probe("ranges", host, bench, (bench) => hasRanges(inside, bench)),
      probe("paging", host, bench, (bench) => hasPaging(inside, bench)),
    ]),
  };
}

/** So much of the time of all is what one ability may take: some registries need minutes to list repositories. */
const share = 0.9;

/** Finds out about one ability; where no answer comes, nothing is known of it, which is no fault. */
export async function probe(
  ability: Ability,
  host: string,
  bench: Bench,
  work: (bench: Bench) => Promise<Diagnosis>,
): Promise<Diagnosis> {
  const late = AbortSignal.timeout(bench.timeout * share);
  try {
    return await work({ ...bench, signal: AbortSignal.any([bench.signal, late]) });
  } catch (error) {
    if (bench.signal.aborted || !isRegistryError(error)) throw error;
    return told(ability, host, undefined, late.aborted ? "no answer came in time" : error.message);
  }
}

/** What is not known without writing. */
export function unprobed({ host, reference, name }: Place): readonly Diagnosis[] {
  const abilities = (["chunks", "mount", "untag"] as const).map((one) => abilityNames[one]).join(", ");
  const command = `gantry doctor --write-check ${name}${reference ? "" : "/REPOSITORY"}`;
  return [skipped("abilities", `not probed, as that takes writing: ${abilities}`, { host, command })];
}

/** A repository that may be read, and what was read of it. */
interface Inside {
  readonly host: string;
  readonly repository: string;
  readonly pulled: Pulled;
}

function get(
  host: string,
  path: string,
  bench: Bench,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return ask(bench.transport, { method: "GET", url: new URL(`https://${host}/v2/${path}`), headers }, bench);
}

async function hasCatalog(host: string, bench: Bench): Promise<Diagnosis> {
  const { status } = await get(host, "_catalog?n=1", bench);
  if (status === 200) return told("catalog", host, true);
  if (status === 401 || status === 403) return told("catalog", host, undefined, "not for this account");
  return told("catalog", host, status === 404 || status === 405 ? false : undefined, `${status}`);
}

/** The referrers of anything are an index, empty where there are none (distribution-spec, "Listing Referrers"). */
async function hasReferrers({ host, repository, pulled: { digest } }: Inside, bench: Bench): Promise<Diagnosis> {
  const subject = digest ?? digestOf("");
  const { status, headers } = await get(host, `${repository}/referrers/${subject}`, bench);
  const isIndex = status === 200 && bareMediaType(headers["content-type"]) === mediaTypes.ociIndex;
  if (isIndex) return told("referrers", host, true);
  if (status === 401 || status === 403 || status === 429 || status >= 500)
    return told("referrers", host, undefined, `${status}`);
  return told("referrers", host, false, "what is attached is found by tags");
}

async function hasRanges({ host, repository, pulled }: Inside, bench: Bench): Promise<Diagnosis> {
  const { digest, answer } = pulled;
  if (!digest) return told("ranges", host, undefined, "no manifest was named");
  if (isMetered(answer))
    return told("ranges", host, undefined, "to read a manifest would count against the rate limit");
  const blob = await someBlob(host, repository, digest, bench);
  if (!blob) return told("ranges", host, undefined, "no blob was found to try");
  const { status } = await get(host, `${repository}/blobs/${blob}`, bench, { range: "bytes=0-0" });
  return told("ranges", host, status === 206 ? true : status === 200 ? false : undefined);
}

/** The config of a manifest or, for an index, of its first child. */
export async function someBlob(
  host: string,
  repository: string,
  digest: Digest,
  bench: Bench,
  depth = 0,
): Promise<Digest | undefined> {
  const { status, text } = await get(host, `${repository}/manifests/${digest}`, bench, { accept: manifestAccept });
  const body = status === 200 ? parseObject(text) : undefined;
  const [child] = Array.isArray(body?.["manifests"]) ? (body["manifests"] as unknown[]) : [];
  const named = digestIn(child ?? body?.["config"]);
  if (!named || child === undefined) return named;
  return depth < 2 ? someBlob(host, repository, named, bench, depth + 1) : undefined;
}

function digestIn(value: unknown): Digest | undefined {
  const digest = isObject(value) ? value["digest"] : undefined;
  return typeof digest === "string" && isDigest(digest) ? digest : undefined;
}

async function hasPaging({ host, repository }: Inside, bench: Bench): Promise<Diagnosis> {
  const { status, headers, text } = await get(host, `${repository}/tags/list?n=1`, bench);
  const tags = status === 200 ? parseObject(text)?.["tags"] : undefined;
  if (!Array.isArray(tags)) return told("paging", host, undefined, `the list answers ${status}`);
  if (tags.length > 1) return told("paging", host, false, "it sends all tags at once");
  if (nextLink(headers["link"]) !== undefined) return told("paging", host, true);
  return told("paging", host, undefined, "there is one tag or none");
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
