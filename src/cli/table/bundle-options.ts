import { value, type Option } from "../option.ts";

const heading = "Without a connection:";

export const to: Option<string | undefined> = value(
  "--to <bundle>",
  "write what is missing into this archive instead; with --from, the registry (HOST, or HOST/PATH) that all goes to",
  String,
  { completes: "file", heading },
);
export const from: Option<string | undefined> = value(
  "--from <bundle>",
  "bring what such an archive has to its destinations, after a look whether all of it is whole and all it needs is there",
  String,
  { completes: "file", heading },
);
export const have: Option<string | undefined> = value(
  "--have <file>",
  "with --to: what the destinations have, as --record wrote it down",
  String,
  { completes: "file", heading },
);
export const record: Option<string | undefined> = value(
  "--record <file>",
  "write down what the destinations have: now, or with --from, when all is done",
  String,
  { completes: "file", heading },
);

/** What `sync` takes where its two ends cannot reach each other. */
export const bundleOptions: readonly Option[] = [to, from, have, record];
