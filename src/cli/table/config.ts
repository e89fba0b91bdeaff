import type { Command } from "../command.ts";
import * as options from "../options.ts";
import { settingOptions } from "../setting-options.ts";

/** Commands about Gantry's own configuration. */
export const configCommands: readonly Command[] = [
  {
    name: "config show",
    group: "This tool",
    summary: "show the settings that count here",
    details:
      "Of an option, the environment (GANTRY_...), the project's gantry.yaml, the user's and the system's file, the first " +
      "that says something counts. An image that is called show, validate or schema is named with its tag: " +
      "`gantry config show:latest`.",
    arguments: [{ name: "key", summary: "only this key, or what is below it", optional: true, completes: "setting" }],
    options: [options.origin, options.format, options.configFile, ...settingOptions],
    examples: [
      { note: "all settings, and where each is from", line: "gantry config show --origin" },
      { note: "one", line: "gantry config show retries" },
    ],
    load: () => import("../commands/config-show.ts"),
  },
  {
    name: "config validate",
    group: "This tool",
    summary: "tell all that is wrong in the configuration",
    details: "Without files: in the files and variables that count here, and in variables that are nobody's.",
    arguments: [{ name: "file", summary: "only these files", optional: true, many: true, completes: "file" }],
    options: [options.format, options.configFile],
    examples: [
      { note: "what counts here", line: "gantry config validate" },
      { note: "a file, before it is put in its place", line: "gantry config validate gantry.yaml" },
    ],
    load: () => import("../commands/config-validate.ts"),
  },
  {
    name: "config schema",
    group: "This tool",
    summary: "print the JSON Schema of configuration files",
    details: "For editors: `# yaml-language-server: $schema=gantry.schema.json` in the file's first line.",
    options: [],
    examples: [{ note: "into a file", line: "gantry config schema > gantry.schema.json" }],
    load: () => import("../commands/config-schema.ts"),
  },
];
