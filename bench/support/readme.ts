import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../e2e/support/run.ts";

const path = join(root, "bench", "README.md");

/** Puts a scenario's results into bench/README.md, between the two comments that carry its name. */
export async function save(name: string, text: string): Promise<void> {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = await readFile(path, "utf8");
  const from = before.indexOf(start);
  const to = before.indexOf(end);
  if (from < 0 || to < from) throw new Error(`bench/README.md has no ${start} ... ${end}`);
  await writeFile(path, `${before.slice(0, from + start.length)}\n${text}\n${before.slice(to)}`);
}
