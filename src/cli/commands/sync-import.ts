import { formatSyncImport, guessSyncTool, importSync, RegistryError, streamOf, syncTools } from "../../index.ts";
import type { Run } from "../command.ts";
import { writeWhole } from "../files.ts";
import { outputFile } from "../options.ts";
import { readDocument } from "../documents.ts";
import { plain } from "../render/text.ts";
import { strict } from "../table/lifecycle-options.ts";
import { from, to } from "../table/sync-import.ts";

export const run: Run<[file: string]> = async ([path], { get, out, stdin, reporter, signal }) => {
  const document = await readDocument(path, stdin);
  const tool = get(from) ?? guessSyncTool(document.value);
  if (!tool) {
    throw new RegistryError("INVALID", `it cannot be told of which tool ${document.name} is`, {
      hint: `say --from, with ${syncTools.join(", ")}`,
    });
  }
  const place = get(to);
  const imported = importSync(tool, document, { ...(place !== undefined && { to: place }) });
  for (const { at, message } of imported.losses) reporter.say(plain(`${at}: ${message}`));
  if (imported.file.sync.length === 0) {
    throw new RegistryError("INVALID", `nothing that ${document.name} keeps in sync can be said`, {
      hint: "see above what is lost",
    });
  }
  if (get(strict) && imported.losses.length > 0) {
    reporter.say("nothing was written: something would be lost");
    return "failed";
  }
  const bytes = streamOf(Buffer.from(formatSyncImport(imported)));
  const target = get(outputFile);
  if (target === undefined || target === "-") await out.bytes(bytes);
  else await writeWhole(target, bytes, signal);
  return "done";
};
