import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerArchiveStore } from "../../../src/store/archive/docker-archive.ts";
import { storeContract } from "../../contract/store.ts";

storeContract(
  "dockerArchiveStore",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "gantry-archive-"));
    const path = join(folder, "image.tar");
    return {
      store: dockerArchiveStore(path),
      reopen: async () => dockerArchiveStore(path),
      cleanup: () => rm(folder, { recursive: true }),
    };
  },
  { tagged: (tag) => `registry.example/team/app:${tag}` },
);
