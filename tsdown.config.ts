import { defineConfig } from "tsdown";

export default defineConfig([
  {
    entry: { index: "src/index.ts", store: "src/store/index.ts", server: "src/server/index.ts" },
    dts: true,
    platform: "node",
    target: "node22.22",
    clean: false,
  },
]);
