import type { Command } from "../command.ts";
import * as options from "../options.ts";
import { checkTimeout, writeCheck } from "./doctor-options.ts";

/** The command that finds out what is wrong between here and a registry. */
export const doctorCommand: Command = {
  name: "doctor",
  group: "Look",
  summary: "find out what is wrong between here and a registry, and what mends it",
  details:
    "Looks at the name, proxies, DNS, TCP, TLS, /v2/ and its challenge, clocks, the login and what it grants, pull and push, " +
    "the rate limit, and what the registry can do; without TARGET, at this machine's files and settings. It only reads, " +
    "unless --write-check opens an upload in the repository and cancels it. Ends with 0 where nothing is at fault, " +
    "whatever the warnings.",
  arguments: [
    {
      name: "target",
      summary: "a host, a repository or an image; none for this machine",
      optional: true,
      completes: "reference",
    },
  ],
  options: [
    checkTimeout,
    writeCheck,
    ...options.formatOptions,
    ...options.networkOptions.filter((one) => one !== options.retries),
  ],
  examples: [
    { note: "the way to an image", line: "gantry doctor registry.example/app:1.0" },
    { note: "a registry, whatever is in it", line: "gantry doctor registry.example" },
    { note: "and whether it may be pushed to", line: "gantry doctor --write-check registry.example/app:1.0" },
    { note: "this machine", line: "gantry doctor" },
  ],
  endings: ["notFound", "denied"],
  load: () => import("../commands/doctor.ts"),
};
