import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary.ts";

/** A PATH whose first folder has the shell scripts, by name, and the folder itself. */
export async function programs(scripts: Readonly<Record<string, string>>): Promise<{ PATH: string; folder: string }> {
  const folder = join(await temporaryDirectory(), "bin");
  await mkdir(folder);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return { PATH: `${folder}:/usr/bin:/bin`, folder };
}

/** A helper in a shell script that keeps logins in files below `STORE`, and notes each call in the file `CALLS` there. */
export const keepingHelper = `
read -r input
key=$(printf %s "$input" | tr -c 'A-Za-z0-9\\n' _)
echo "$1 $input" >>"$STORE/CALLS"
case $1 in
  get) cat "$STORE/$key" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
esac`;
