import { parseDescriptors, type Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isAbsent } from "../../oci/error.ts";
import { bareMediaType, mediaTypes } from "../../oci/media-types.ts";
import type { Call } from "../store.ts";
import { failure, nonsense } from "./answer.ts";
import { fallbackTag, readFallback } from "./fallback.ts";
import { getPage, type Page, type PageRequest } from "./pages.ts";
import type { RemoteRepository } from "./remote.ts";

export interface ReferrersCall extends Call {
  readonly artifactType?: string;
  readonly knownTags?: ReadonlySet<string>;
}

/** Statuses by which registries without the API answer it. */
const noApi: readonly number[] = [400, 404, 405, 406, 415, 501];

/** The manifests attached to a subject: by the API, or by the tag that stands for it where the registry has none. */
export async function* listReferrers(
  at: RemoteRepository,
  subject: Digest,
  call: ReferrersCall = {},
): AsyncGenerator<Descriptor, void> {
  const wanted = ({ artifactType }: Descriptor): boolean =>
    call.artifactType === undefined || artifactType === call.artifactType;
  let page = at.shared.referrers === "tag" ? undefined : await firstPage(at, subject, call);
  if (!page) {
    if (call.knownTags && !call.knownTags.has(fallbackTag(subject))) return;
    yield* (await readFallback(at, subject, call)).filter(wanted);
    return;
  }
  const seen = new Set<Digest>();
  for (;;) {
    const fresh = parseDescriptors(page.body?.["manifests"], "manifests").filter(
      ({ digest }) => !seen.has(digest) && seen.add(digest),
    );
    yield* isFiltered(page) ? fresh : fresh.filter(wanted);
    if (!page.next || fresh.length === 0) return;
    page = await nextPage(at, ask(at, subject, page.next, call));
  }
}

/** Whether the registry lists referrers itself; asked once a host. */
export async function hasReferrersApi(at: RemoteRepository, subject: Digest, call?: Call): Promise<boolean> {
  if (at.shared.referrers === "unknown") await firstPage(at, subject, call ?? {});
  return at.shared.referrers === "api";
}

/** Asks the API; undefined where there is none, which is remembered unless only the repository was unknown. */
async function firstPage(at: RemoteRepository, subject: Digest, call: ReferrersCall): Promise<Page | undefined> {
  const query = call.artifactType === undefined ? undefined : { artifactType: call.artifactType };
  const request = ask(at, subject, at.url(`referrers/${subject}`, query), call);
  const page = await getPage(at, request);
  if (isReferrersIndex(page)) {
    at.shared.referrers = "api";
    return page;
  }
  if (page.response.status !== 200) {
    const error = await failure(page.response, request.attempt);
    if (!noApi.includes(page.response.status)) throw error;
    if (isAbsent(error)) return undefined;
  }
  if (at.shared.referrers === "unknown") at.shared.referrers = "tag";
  return undefined;
}

async function nextPage(at: RemoteRepository, request: PageRequest): Promise<Page> {
  const page = await getPage(at, request);
  if (page.response.status !== 200) throw await failure(page.response, request.attempt);
  if (!isReferrersIndex(page)) throw nonsense(request.attempt, "answered with something other than an index");
  return page;
}

function ask(at: RemoteRepository, subject: Digest, url: URL, { signal }: Call): PageRequest {
  return {
    url,
    attempt: { what: `list the referrers of ${at.name}@${subject}`, host: at.registry },
    accept: mediaTypes.ociIndex,
    signal,
  };
}

/** Registries without the API have been seen to answer 200 with a web page. */
function isReferrersIndex({ response, body }: Page): boolean {
  const named = body?.["mediaType"] ?? bareMediaType(response.headers["content-type"]);
  return response.status === 200 && body !== undefined && named === mediaTypes.ociIndex;
}

function isFiltered({ response }: Page): boolean {
  return (response.headers["oci-filters-applied"] ?? "").split(",").some((name) => name.trim() === "artifactType");
}
