import type { Cli } from "./cli.ts";
import { format } from "./options.ts";
import type { Column } from "./render/table.ts";

/** Lists what there is; where there is nothing, says so on stderr in the place of a table that is empty. */
export async function listOrSay<T>(
  items: readonly T[],
  columns: readonly Column<T>[],
  nothing: string,
  { get, out, reporter }: Cli,
): Promise<void> {
  if (items.length === 0) reporter.say(nothing);
  if (items.length > 0 || (get(format) ?? "table") !== "table") await out.list(items, columns);
}
