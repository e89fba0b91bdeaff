import { artifactFile, artifactManifest, attach } from "../graph/attach.ts";
import { isAbsent, RegistryError } from "../oci/error.ts";
import { parseManifest } from "../oci/manifest.ts";
import type { Call } from "../store/store.ts";
import type { Hands } from "./hands.ts";
import type { AttachDocument, CreateRepository, RestoreManifest, SetImmutability, SetTag } from "./plan.ts";

/** How a step ended; `why` for what did not come about. */
export interface Ending {
  readonly outcome: "done" | "already" | "stale" | "failed" | "skipped";
  readonly why?: string;
  readonly error?: unknown;
  readonly bytes?: number;
}

type Single = SetTag | AttachDocument | CreateRepository | SetImmutability | RestoreManifest;

/** Does a step that is done by itself, after a look whether things are as it expects. */
export async function act(step: Single, hands: Hands, call: Call): Promise<Ending> {
  switch (step.do) {
    case "tag":
      return setTag(step, hands, call);
    case "attach":
      return attachDocument(step, hands, call);
    case "restore":
      return restore(step, hands, call);
    case "create repository":
      return { outcome: (await hands.createRepository(step.at, call)) === "created" ? "done" : "already" };
    default:
      await hands.setImmutability(step, call);
      return { outcome: "done" };
  }
}

async function setTag({ at, digest, before }: SetTag, hands: Hands, call: Call): Promise<Ending> {
  const { store, tag } = hands.open(at);
  if (tag === undefined) throw new RegistryError("INVALID", `${at} has no tag to set`);
  const now = (await store.head(tag, call))?.digest ?? null;
  if (now === digest) return { outcome: "already" };
  if (now !== before) return { outcome: "stale", why: now === null ? `${at} is gone` : `${at} names ${now} now` };
  const manifest = await store.manifest(digest, call);
  if (!manifest) return { outcome: "stale", why: `${digest} is gone` };
  await store.putManifest(manifest, { ...call, tag });
  return { outcome: "done" };
}

async function attachDocument(step: AttachDocument, hands: Hands, call: Call): Promise<Ending> {
  const { store } = hands.open(step.at);
  const subject = await store.head(step.digest, call);
  if (!subject) return { outcome: "stale", why: `${step.at} is not there` };
  const bytes = Buffer.from(JSON.stringify(step.document));
  const { artifactType, annotations } = step;
  const artifact = { artifactType, files: [artifactFile(bytes, artifactType)], ...(annotations && { annotations }) };
  const { digest } = artifactManifest(artifact, subject).descriptor;
  if (await store.head(digest, call)) return { outcome: "already" };
  await attach(store, artifact, { subject: step.digest, ...call });
  return { outcome: "done" };
}

async function restore(step: RestoreManifest, hands: Hands, call: Call): Promise<Ending> {
  const { store } = hands.open(step.at);
  const bytes = Buffer.from(step.manifest, "base64");
  const manifest = parseManifest(bytes, { mediaType: step.mediaType, digest: step.digest });
  let put = false;
  if (!(await store.head(step.digest, call))) {
    await store.putManifest(manifest, call);
    put = true;
  }
  const taken: string[] = [];
  for (const tag of step.tags) {
    const now = (await headOf(store.head(tag, call)))?.digest;
    if (now === step.digest) continue;
    if (now !== undefined) taken.push(`${tag} names ${now} now`);
    else {
      await store.putManifest(manifest, { ...call, tag });
      put = true;
    }
  }
  if (taken.length > 0) return { outcome: "stale", why: taken.join(", ") };
  return { outcome: put ? "done" : "already" };
}

async function headOf<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
