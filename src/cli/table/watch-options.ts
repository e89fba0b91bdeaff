import { flag, value, type Option } from "../option.ts";
import { parseAddress, parseDuration, type Address } from "../option-values.ts";

const heading = "Watch:";

export const watch: Option<boolean> = {
  ...flag("--watch", "go on for ever: each mapping by its schedule, and the file whenever it changes"),
  heading,
};
export const listen: Option<Address | undefined> = value(
  "--listen <host:port>",
  "with --watch: serve /healthz, /readyz and /metrics there",
  parseAddress,
  { heading },
);
/** How long what is being copied may take, in milliseconds, as long as Kubernetes waits, and a bit. */
export const usualDrain = 25_000;

export const drain: Option<number | undefined> = value(
  "--drain <time>",
  "with --watch: how long images that are being copied may take when it is stopped (default: 25s)",
  parseDuration,
  { heading },
);

/** What `sync --watch` takes. */
export const watchOptions: readonly Option[] = [watch, listen, drain];
