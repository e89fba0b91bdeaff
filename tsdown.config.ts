import { defineConfig } from "tsdown";

const shared = { platform: "node", target: "node22.22", clean: false, fixedExtension: false } as const;

export default defineConfig([
  {
    ...shared,
    entry: { index: "src/index.ts", store: "src/store/index.ts", server: "src/server/index.ts" },
    dts: true,
  },
  // The command line on its own: each command's body is a chunk that only that command reads.
  {
    ...shared,
    entry: { gantry: "src/cli/main.ts" },
    dts: false,
    // Importing a module does nothing by itself anywhere here, so a chunk holds what it uses and no more.
    treeshake: { moduleSideEffects: false },
    outputOptions: { chunkFileNames: "cli/[name]-[hash].js" },
  },
]);
