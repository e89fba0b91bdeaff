import { attachedTypes } from "./attached-kinds.ts";
import { digestTags } from "./attachments.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Call, Source } from "../store/store.ts";

/** The most referrers that are looked at. */
const most = 10_000;

/** What is attached to an image, by kind and by artifact type: referrers, Cosign's tags, and BuildKit's statements in its index. */
export async function readAttached(from: Source, digest: Digest, { signal }: Call = {}): Promise<ReadonlySet<string>> {
  const tags = await digestTags(from, signal);
  const found: Pick<Descriptor, "artifactType" | "annotations">[] = [];
  for await (const one of from.referrers(digest, { signal, ...(tags && { knownTags: tags.all }) })) {
    found.push(one);
    if (found.length === most) break;
  }
  const manifest = await from.manifest(digest, { signal });
  const statements = (manifest?.manifests ?? []).filter(
    ({ annotations }) => annotations?.["vnd.docker.reference.type"] === "attestation-manifest",
  );
  for (const { digest: statement } of statements) {
    const blobs = (await from.manifest(statement, { signal }))?.blobs ?? [];
    for (const { mediaType, annotations } of blobs) {
      if (mediaType.startsWith("application/vnd.in-toto")) {
        found.push({ artifactType: mediaType, ...(annotations && { annotations }) });
      }
    }
  }
  const suffixes = (tags?.bySubject.get(digest) ?? []).map((tag) => tag.slice(tag.lastIndexOf(".") + 1));
  return attachedTypes(found, suffixes);
}
