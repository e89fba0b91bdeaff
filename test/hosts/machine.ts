import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Machine } from "../../src/hosts/registries-files.ts";
import { temporaryDirectory } from "../support/temporary.ts";

/** A machine whose files are these, by path (`etc/...` is the system's, `home/...` the user's), gone when the test is over. */
export async function machine(files: Readonly<Record<string, string>>): Promise<Required<Machine>> {
  const root = await temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return { env: {}, home: join(root, "home"), root, uid: 1000 };
}

/** What a call throws, as `CODE: message (hint)`, without the machine's root in it. */
export function fault(root: string, act: () => unknown): string {
  try {
    act();
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint?: string };
    return `${code}: ${message}${hint === undefined ? "" : ` (${hint})`}`.replaceAll(root, "");
  }
  throw new Error("nothing was thrown");
}
