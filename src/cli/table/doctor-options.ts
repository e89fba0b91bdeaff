import { RegistryError } from "../../index.ts";
import { parseDuration } from "../option-values.ts";
import { flag, value, type Option } from "../option.ts";

/** What the doctor takes beside what every command takes that speaks to a registry. */
export const checkTimeout: Option<number | undefined> = value(
  "--timeout <time>",
  "how long each check may take, such as 5s (default: 10s)",
  parseLimit,
);
export const writeCheck: Option<boolean> = flag(
  "--write-check",
  "open an upload in the repository and cancel it, to see what may be written",
);

/** Reads a time above 0, in milliseconds. */
function parseLimit(text: string): number {
  const ms = parseDuration(text);
  if (ms > 0) return ms;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is no time above 0`);
}
