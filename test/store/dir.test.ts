import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dirStore } from "../../src/store/dir.ts";
import { storeContract } from "../contract/store.ts";

const oneImage = [
  "a manifest whose bytes have another digest is DIGEST_INVALID and not stored",
  "a manifest may be put again",
  "tags come in byte order",
  "two tags name one manifest",
  "a tag moves to another manifest",
  "many tags put at once are all there",
  "referrers are listed with artifact type and annotations",
  "what was flushed is there when opened again",
];
const nothingIsDeleted = [
  "deleting a tag leaves its siblings and the manifest",
  "deleting the last tag leaves the manifest",
  "deleting a tag that is not there is MANIFEST_UNKNOWN",
  "deleting a manifest takes its tags and no others",
  "a deleted manifest may be put again",
  "deleting an index leaves its children",
  "deleting a manifest that is not there is MANIFEST_UNKNOWN",
  "a deleted referrer is not listed",
];

storeContract(
  "dirStore",
  async () => {
    const path = await mkdtemp(join(tmpdir(), "gantry-dir-"));
    return {
      store: dirStore(path),
      reopen: async () => dirStore(path),
      cleanup: () => rm(path, { recursive: true }),
    };
  },
  {
    skip: [
      ...oneImage.map((test) => ({ test, reason: "it holds one image, without tags" })),
      ...nothingIsDeleted.map((test) => ({ test, reason: "nothing is deleted from it" })),
    ],
  },
);
