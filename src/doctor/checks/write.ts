import { withoutSecret } from "../../auth/credential.ts";
import { contentOf } from "../../oci/stream.ts";
import { locate } from "../../store/remote/location.ts";
import type { Req } from "../../transport/transport.ts";
import { ask, type Answer } from "../ask.ts";
import { wordsOf } from "../blame.ts";
import type { Bench } from "../context.ts";
import { fault, fine, warning, type Diagnosis, type Step } from "../diagnosis.ts";
import { pathOf, type Place } from "../place.ts";
import { insecure, type Login } from "../token.ts";
import { probe, someBlob, told } from "./abilities.ts";
import { refused, type Pulled } from "./pull.ts";

/** A byte for the first chunk of an upload that is never finished. */
const chunk = Buffer.from("g");
const octets = { "content-type": "application/octet-stream" };

/** What was learned by opening an upload: whether it may come in chunks. */
export interface Written {
  readonly chunks: Diagnosis;
}

/** Opens an upload in the repository, sends a chunk, gives it up and sees that it is gone: what only a write tells. */
export async function checkWrite(place: Place, login: Login, bench: Bench): Promise<Step<Written>> {
  const { host, reference } = place;
  if (!reference) return { told: [nothingToWriteTo(place)] };
  const opened = await send({ method: "POST", url: uploads(place, reference.repository) }, bench);
  const at = sessionAt(place, opened, bench);
  if (opened.status !== 202 || !at) return { told: [refused("push", place, login, opened)] };
  const headers = { ...octets, "content-range": `0-${chunk.byteLength - 1}` };
  const body = { size: chunk.byteLength, open: contentOf(chunk) };
  const sent = await send({ method: "PATCH", url: at, headers, body }, bench).catch(async (error: unknown) => {
    await giveUp(place, at, bench);
    throw error;
  });
  const left = await giveUp(place, sessionAt(place, sent, bench) ?? at, bench);
  const taken = sent.status < 300;
  const words = withoutSecret(wordsOf(sent), login.credential);
  return {
    told: [
      left ??
        fine("push", `an upload was opened in ${reference.repository} and cancelled: the registry knows it no more`, {
          host,
        }),
    ],
    known: { chunks: told("chunks", host, taken, taken ? "" : `${sent.status} ${words}`.trim()) },
  };
}

/** Whether a blob that is there already can be mounted onto itself, and whether a tag that nobody has may be deleted. */
export async function writeAbilities(
  place: Place,
  pulled: Pulled,
  chunks: Diagnosis,
  bench: Bench,
): Promise<Step<never>> {
  const { host } = place;
  const repository = pathOf(place);
  const others = await Promise.all([
    probe("mount", host, bench, (bench) => hasMount(place, repository, pulled, bench)),
    probe("untag", host, bench, (bench) => hasUntag(place, repository, bench)),
  ]);
  return { told: [chunks, ...others] };
}

async function hasMount(place: Place, repository: string, { digest }: Pulled, bench: Bench): Promise<Diagnosis> {
  const blob = digest && (await someBlob(place.host, repository, digest, bench));
  if (!blob) return told("mount", place.host, undefined, "no blob was found to try");
  const url = uploads(place, repository);
  url.searchParams.set("mount", blob);
  url.searchParams.set("from", repository);
  const answer = await send({ method: "POST", url }, bench);
  if (answer.status === 201) return told("mount", place.host, true);
  const at = answer.status === 202 ? sessionAt(place, answer, bench) : undefined;
  if (!at) return told("mount", place.host, undefined, `${answer.status}`);
  return (await giveUp(place, at, bench)) ?? told("mount", place.host, false, "an upload was opened in its place");
}

/** No registry has this tag: one that knows of deleting tags says that it is not there. */
async function hasUntag(place: Place, repository: string, bench: Bench): Promise<Diagnosis> {
  const tag = `gantry-doctor-${Math.floor(bench.clock.random() * 1e12).toString(36)}`;
  const url = new URL(`https://${place.host}/v2/${repository}/manifests/${tag}`);
  const { status } = await send({ method: "DELETE", url }, bench);
  if (status === 404 || status === 202) return told("untag", place.host, true);
  if (status === 401 || status === 403) return told("untag", place.host, undefined, "this login may delete nothing");
  return told("untag", place.host, status === 400 || status === 405 ? false : undefined, `${status}`);
}

/** How long may be taken to clean up, in milliseconds, even after an interruption. */
const cancelLimit = 2000;

/** Cancels an upload, and asks for it once more; tells where something of it is left. */
async function giveUp(place: Place, at: URL, bench: Bench): Promise<Diagnosis | undefined> {
  const own = { ...bench, signal: AbortSignal.timeout(cancelLimit) };
  const nothing = (): undefined => undefined;
  const cancelled = await send({ method: "DELETE", url: at }, own).catch(nothing);
  const after = cancelled && (await send({ method: "GET", url: at }, own).catch(nothing));
  if (after && (after.status === 404 || (after.status >= 400 && cancelled.status < 300))) return undefined;
  return warning("push", `an upload was not cancelled: the registry answered ${cancelled?.status ?? "nothing"}`, {
    host: place.host,
    ...(cancelled && { status: cancelled.status }),
    cause: "the registry keeps unfinished uploads until it cleans up: no image is touched by that",
  });
}

function uploads({ host }: Place, repository: string): URL {
  return new URL(`https://${host}/v2/${repository}/blobs/uploads/`);
}

function sessionAt(place: Place, { url, headers: { location } }: Answer, bench: Bench): URL | undefined {
  if (location === undefined) return undefined;
  const from = { registry: place.registry, origin: new URL(`https://${place.host}`), isInsecure: insecure(bench) };
  const found = locate(from, url, location);
  return found.anonymous ? undefined : found.url;
}

const empty = { size: 0, open: contentOf(new Uint8Array()) };

function send(request: Pick<Req, "method" | "url"> & Partial<Req>, bench: Bench): Promise<Answer> {
  const body = request.body ?? (request.method === "POST" ? empty : undefined);
  return ask(bench.transport, { ...request, ...(body && { body }) }, bench);
}

/** A fault for a repository that writes were asked of and that was not named. */
function nothingToWriteTo({ host, name }: Place): Diagnosis {
  return fault("push", "--write-check needs a repository to write to", {
    code: "INVALID",
    host,
    command: `gantry doctor --write-check ${name}/REPOSITORY`,
  });
}
