import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ociArchiveStore } from "../../../src/store/archive/oci-archive.ts";
import { storeContract } from "../../contract/store.ts";

storeContract("ociArchiveStore", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gantry-archive-"));
  const path = join(folder, "image.tar");
  return {
    store: ociArchiveStore(path),
    reopen: async () => ociArchiveStore(path),
    cleanup: () => rm(folder, { recursive: true }),
  };
});
