import { digestOf } from "../../src/oci/digest.ts";
import { randomBytes } from "../../test/support/images.ts";
import type { Dice } from "./dice.ts";

/** What a registry was sent, and what it has acknowledged with 201. */
export interface Ledger {
  /** Blobs and manifests by digest. */
  readonly blobs: Map<string, boolean>;
  readonly manifests: Map<string, boolean>;
  /** What a tag was last acknowledged to name, and what else it may name because the answer never came. */
  readonly tags: Map<string, { acknowledged?: string; tried: string[] }>;
}

/** Pushes images of its own to one repository, one after the other and in every way that the protocol has. */
export interface Pusher {
  readonly repository: string;
  readonly ledger: Ledger;
  /** Pushes until the registry at `host` breaks off; throws where it answers with anything but what is promised. */
  readonly pushTo: (host: string) => Promise<void>;
}

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const octets = { "content-type": "application/octet-stream" };
const sizes = [0, 30, 4000, 70_000, 400_000, 1_300_000];

/** Makes a pusher; all that it does follows from the dice. Pushers share some of their blobs. */
export function pusher(repository: string, random: Dice): Pusher {
  const ledger: Ledger = { blobs: new Map(), manifests: new Map(), tags: new Map() };
  let serial = 0;

  async function pushBlob(base: string, bytes: Uint8Array): Promise<{ digest: string; size: number }> {
    const digest = digestOf(bytes);
    ledger.blobs.set(digest, ledger.blobs.get(digest) ?? false);
    await random.pick([inOne, inTwo, inPieces])(base, bytes, digest, random);
    ledger.blobs.set(digest, true);
    return { digest, size: bytes.length };
  }

  async function pushImage(base: string): Promise<void> {
    serial += 1;
    const contents = Array.from({ length: 1 + random.below(3) }, (_, i) => {
      const shared = random.below(3) === 0;
      return randomBytes(shared ? `shared/${random.below(6)}` : `${repository}/${serial}/${i}`, random.pick(sizes));
    });
    const layers = [];
    for (const bytes of contents)
      layers.push({ mediaType: "application/octet-stream", ...(await pushBlob(base, bytes)) });
    const config = { mediaType: "application/vnd.oci.empty.v1+json", ...(await pushBlob(base, Buffer.from("{}"))) };
    const annotations = { serial: `${repository}/${serial}` };
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers, annotations }));
    await pushManifest(base, manifest, random.pick(["latest", "moving", `v${serial}`]));
  }

  async function pushManifest(base: string, bytes: Buffer, tag: string): Promise<void> {
    const digest = digestOf(bytes);
    const known = ledger.tags.get(tag) ?? { tried: [] };
    known.tried.push(digest);
    ledger.tags.set(tag, known);
    ledger.manifests.set(digest, false);
    await expectStatus(201, `${base}/manifests/${tag}`, {
      method: "PUT",
      headers: { "content-type": mediaType },
      body: bytes,
    });
    ledger.manifests.set(digest, true);
    ledger.tags.set(tag, { acknowledged: digest, tried: [] });
  }

  return {
    repository,
    ledger,
    async pushTo(host) {
      try {
        for (;;) await pushImage(`http://${host}/v2/${repository}`);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // That is how fetch says that the connection broke.
      }
    },
  };
}

type Way = (base: string, bytes: Uint8Array, digest: string, random: Dice) => Promise<void>;

const inOne: Way = async (base, bytes, digest) => {
  await expectStatus(201, `${base}/blobs/uploads/?digest=${digest}`, { method: "POST", headers: octets, body: bytes });
};

const inTwo: Way = async (base, bytes, digest) => {
  const at = await start(base);
  at.searchParams.set("digest", digest);
  await expectStatus(201, at.href, { method: "PUT", headers: octets, body: bytes });
};

const inPieces: Way = async (base, bytes, digest, { below }) => {
  let at = await start(base);
  const middle = below(bytes.length);
  if (middle > 0) {
    const headers = { ...octets, "content-range": `0-${middle - 1}` };
    at = next(base, await expectStatus(202, at.href, { method: "PATCH", headers, body: bytes.subarray(0, middle) }));
  }
  at.searchParams.set("digest", digest);
  await expectStatus(201, at.href, { method: "PUT", headers: octets, body: bytes.subarray(middle) });
};

async function start(base: string): Promise<URL> {
  return next(base, await expectStatus(202, `${base}/blobs/uploads/`, { method: "POST" }));
}

function next(base: string, answer: Response): URL {
  return new URL(answer.headers.get("location") ?? "", base);
}

async function expectStatus(status: number, url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  // A body that breaks off rejects too: what was acknowledged has arrived whole.
  const text = await answer.text();
  if (answer.status === status) return answer;
  throw new Error(`${init.method} ${url}: ${answer.status} instead of ${status}: ${text}`);
}

/** What is wrong with a repository, by its ledger: acknowledged things that are gone, torn blobs, tags that lack something. */
export async function broken(
  host: string,
  { repository, ledger }: Pick<Pusher, "repository" | "ledger">,
): Promise<readonly string[]> {
  const base = `http://${host}/v2/${repository}`;
  const faults: string[] = [];
  const there = new Set<string>();
  const look = async (kind: "blobs" | "manifests", digest: string, acknowledged: boolean): Promise<void> => {
    const { status, bytes } = await get(`${base}/${kind}/${digest}`);
    if (status === 200 && digestOf(bytes) === digest) there.add(digest);
    else if (status !== 404 || acknowledged)
      faults.push(`${repository}: ${kind}/${digest}: ${status}${acknowledged ? ", acknowledged" : ""}`);
  };
  for (const kind of ["blobs", "manifests"] as const) {
    await Promise.all([...ledger[kind]].map(([digest, acknowledged]) => look(kind, digest, acknowledged)));
  }
  for (const [tag, { acknowledged, tried }] of ledger.tags) {
    const { status, bytes } = await get(`${base}/manifests/${tag}`);
    const named = status === 200 ? digestOf(bytes) : undefined;
    if (![acknowledged, ...tried].includes(named)) faults.push(`${repository}: ${tag} names ${named ?? status}`);
    if (named === undefined) continue;
    const { config, layers } = JSON.parse(bytes.toString());
    const lacks = [config, ...layers].filter(({ digest }) => !there.has(digest));
    if (lacks.length > 0) faults.push(`${repository}: ${tag} lacks ${lacks.map(({ digest }) => digest).join(", ")}`);
  }
  const { status, bytes } = await get(`${base}/tags/list`);
  const listed: readonly string[] = status === 200 ? JSON.parse(bytes.toString()).tags : [];
  const strange = listed.filter((tag) => !ledger.tags.has(tag));
  const gone = [...ledger.tags].filter(([tag, { acknowledged }]) => acknowledged && !listed.includes(tag));
  return [
    ...faults,
    ...strange.map((tag) => `${repository} lists ${tag}`),
    ...gone.map(([tag]) => `${repository} does not list ${tag}`),
  ];
}

async function get(url: string): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  const answer = await fetch(url, { headers: { accept: "*/*" } });
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
}
