import type { Run } from "../command.ts";
import { copyImages } from "../copy-images.ts";
import { allTags, noClobber } from "../options.ts";

export const run: Run<[source: string, destinations: string[]]> = ([source, destinations], cli) =>
  copyImages(source, destinations, cli, { allTags: cli.get(allTags), noClobber: cli.get(noClobber) });
