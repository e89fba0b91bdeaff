import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string;

/** Journals of all tests go to a directory of their own, not to the home of who runs them. */
export function setup(): void {
  folder = mkdtempSync(join(tmpdir(), "gantry-test-state-"));
  process.env["XDG_STATE_HOME"] = folder;
}

/** Removes it. */
export function teardown(): void {
  rmSync(folder, { recursive: true, force: true });
}
