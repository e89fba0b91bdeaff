import type { Digest } from "../oci/digest.ts";
import { isAbsent } from "../oci/error.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { collect } from "../oci/stream.ts";
import { isAbort } from "../graph/sides.ts";
import { semaphore } from "../graph/semaphore.ts";
import { byTime, type AttachedReceipt } from "../policy/promote/history.ts";
import { parseReceipt, receiptLimit, receiptType } from "../policy/promote/receipt.ts";
import type { Call, Source } from "../store/store.ts";

/** How many receipts of one image are read, and how many referrers are looked through for them. */
const most = 500;
const mostReferrers = 10_000;
const atOnce = 8;

/**
 * The receipts that are attached to an image, the last first, those of other repositories that came along with a copy
 * among them. Anybody who may push can attach anything: what is no receipt of this image is passed over.
 */
export async function readReceipts(
  from: Source,
  subject: Digest,
  { signal }: Call = {},
): Promise<readonly AttachedReceipt[]> {
  const room = semaphore(atOnce);
  const listed: Descriptor[] = [];
  let seen = 0;
  try {
    for await (const one of from.referrers(subject, { signal, artifactType: receiptType })) {
      if (one.artifactType === receiptType) listed.push(one);
      if (listed.length === most || ++seen === mostReferrers) break;
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  const read = listed.map((one) => room(() => readOne(from, one.digest, subject, signal)));
  return (await Promise.all(read)).filter((one) => one !== undefined).sort(byTime);
}

async function readOne(
  from: Source,
  artifact: Digest,
  subject: Digest,
  signal?: AbortSignal,
): Promise<AttachedReceipt | undefined> {
  try {
    const manifest = await from.manifest(artifact, { signal });
    const file = manifest?.blobs.find(({ mediaType }) => mediaType === receiptType);
    if (!file || manifest?.subject?.digest !== subject || file.size > receiptLimit) return undefined;
    const bytes = await collect(await from.blob(file.digest, { signal, size: file.size }), receiptLimit, artifact);
    const receipt = parseReceipt(bytes, subject);
    return receipt && { artifact, receipt };
  } catch (error) {
    if (isAbort(error) || signal?.aborted) throw error;
    return undefined;
  }
}
