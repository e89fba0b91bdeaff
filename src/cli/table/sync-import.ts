import { RegistryError, syncTools, type SyncTool } from "../../index.ts";
import type { Command } from "../command.ts";
import { value, type Option } from "../option.ts";
import { outputFile } from "../options.ts";
import { strict } from "./lifecycle-options.ts";

export const from: Option<SyncTool | undefined> = value(
  "--from <tool>",
  `whose file it is, where its keys do not tell: ${syncTools.join(", ")}`,
  parseTool,
  { completes: syncTools },
);
export const to: Option<string | undefined> = value(
  "--to <place>",
  "for skopeo's file alone, which does not say it: where to, as on its command line; a template such as HOST/{registry}/{repository} says how it is named there",
  String,
);

/** The command that reads what other tools keep in sync. */
export const syncImportCommand: Command = {
  name: "sync import",
  group: "Plans",
  summary: "say the file of skopeo, regsync, dregsy or image-syncer as one for `gantry sync`",
  details:
    "Works on files alone. The result selects nothing that the tool would not: what cannot be said is left out, and is named " +
    "with its place, on stderr and as a comment. Logins are never taken over: gantry login.",
  arguments: [{ name: "file", summary: "the tool's file, as YAML or JSON; - for stdin", completes: "file" }],
  options: [from, to, strict, outputFile],
  examples: [
    { note: "one of regsync", line: "gantry sync import -o sync.yaml regsync.yml" },
    { note: "one of skopeo", line: "gantry sync import --to mirror.example/hub skopeo-sync.yml" },
  ],
  load: () => import("../commands/sync-import.ts"),
};

function parseTool(text: string): SyncTool {
  const found = syncTools.find((tool) => tool === text);
  if (found) return found;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is none of ${syncTools.join(", ")}`);
}
