import type { Readable } from "node:stream";
import type { Client, Config, ConfigPlaces, Opened } from "../index.ts";
import type { Places } from "./places.ts";
import type { Given, Option } from "./option.ts";
import type { Output } from "./render/output.ts";
import type { Reporter } from "./render/reporter.ts";

/** What a command's body gets to work with. */
export interface Cli {
  /** The value of one of the command's options: as typed, else as the configuration says. */
  readonly get: <T>(option: Option<T>) => T;
  /** What was typed for it. */
  readonly given: (option: Option) => Given;
  /** What the environment and the configuration files say. */
  readonly config: () => Promise<Config>;
  /** Where those are looked for. */
  readonly places: ConfigPlaces;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** What is piped in. Throws INVALID where that is the password. */
  readonly stdin: () => Readable;
  /** Where results go. */
  readonly out: Output;
  /** Where messages and progress go. */
  readonly reporter: Reporter;
  /** A client for these places, by the options about networks and logins; closed when the command has ended. */
  readonly client: (places: Places) => Promise<Client>;
  /** One place, opened by a client of its own, and the tag or digest that it names or implies; `pull` to only read from it. */
  readonly open: (place: string, use?: "pull") => Promise<Opened & { readonly ref: string }>;
  /** Asks a yes-or-no question on the terminal; undefined where there is none. */
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  /** Asks for a line on the terminal, unseen where it is `hidden`; undefined where there is none. */
  readonly ask: (question: string, options?: { readonly hidden?: boolean }) => Promise<string | undefined>;
}
