import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { layoutStore } from "../../src/store/layout.ts";
import { storeContract } from "../contract/store.ts";

storeContract("layoutStore", async () => {
  const path = await mkdtemp(join(tmpdir(), "gantry-layout-"));
  return {
    store: layoutStore(path),
    reopen: async () => layoutStore(path),
    cleanup: () => rm(path, { recursive: true }),
  };
});
