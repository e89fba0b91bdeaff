import { memoryStore } from "../../src/store/memory.ts";
import { storeContract } from "../contract/store.ts";

storeContract("memoryStore", async () => {
  const store = memoryStore();
  return { store, reopen: async () => store };
});
