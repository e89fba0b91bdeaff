import type { Command } from "../command.ts";
import * as options from "../options.ts";

/** The registry, and commands about this program. */
export const toolCommands: readonly Command[] = [
  {
    name: "serve",
    group: "Run a registry",
    summary: "run an OCI registry that keeps its data in one directory",
    details:
      "Stays in the foreground; SIGTERM and Ctrl-C let running requests finish and end it. Without --htpasswd anybody may " +
      "push: such a registry answers to this machine only, unless --open. -v writes a line for each request.",
    options: [
      options.data,
      options.listen,
      options.htpasswd,
      options.anonymousPull,
      options.tlsCert,
      options.tlsKey,
      options.readOnly,
      options.open,
      options.verbose,
    ],
    examples: [
      { note: "for this machine", line: "gantry serve --data registry-data --listen 127.0.0.1:0" },
      {
        note: "for others: users push, anybody pulls",
        line: "gantry serve --data registry-data --listen 127.0.0.1:0 --htpasswd users --anonymous-pull",
      },
    ],
    drains: () => 10_000,
    load: () => import("../commands/serve.ts"),
  },
  {
    name: "version",
    group: "This tool",
    summary: "print the version",
    options: [options.format],
    examples: [
      { note: "one line", line: "gantry version" },
      { note: "with what it runs on", line: "gantry version --format json" },
    ],
    load: () => import("../commands/version.ts"),
  },
  {
    name: "completion",
    group: "This tool",
    summary: "print a script that completes commands, options, repositories and tags",
    details:
      "bash: add `source <(gantry completion bash)` to ~/.bashrc. zsh: `source <(gantry completion zsh)` in ~/.zshrc, after " +
      "compinit. fish: `gantry completion fish > ~/.config/fish/completions/gantry.fish`.",
    arguments: [{ name: "shell", summary: "bash, zsh or fish", completes: ["bash", "zsh", "fish"] }],
    options: [],
    examples: [{ note: "for bash", line: "gantry completion bash" }],
    load: () => import("../commands/completion.ts"),
  },
  {
    name: "__complete",
    group: "This tool",
    summary: "answer a shell that completes a command line",
    hidden: true,
    arguments: [{ name: "words", summary: "the words so far, the last being typed", many: true, optional: true }],
    options: [],
    examples: [],
    load: () => import("../commands/complete.ts"),
  },
];
