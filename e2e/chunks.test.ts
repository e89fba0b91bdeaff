import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test, vi } from "vitest";
import { requireCached } from "../src/cli/code-cache.ts";
import { root } from "./support/run.ts";

// Chunks load one another when they use them, in circles, too: none may use another while it is loaded itself, where that one
// has not got far enough.
test.each(globSync(join(root, "dist/cli/*.cjs")).map((file) => [basename(file), file] as const))(
  "%s can be the first chunk that is loaded",
  (_, file) => {
    vi.stubEnv("NODE_DISABLE_COMPILE_CACHE", "1");
    const exported = requireCached(file, "test") as Readonly<Record<string, unknown>>;
    expect(() => Object.values(exported)).not.toThrow();
  },
);
