import { parseLocation, RegistryError } from "../../index.ts";
import type { Run } from "../command.ts";
import { copyImages } from "../copy-images.ts";
import { allTags, noClobber } from "../options.ts";

export const run: Run<[source: string, destinations: string[]]> = async ([source, destinations], cli) => {
  const all = cli.get(allTags);
  if (all && namesOne(source)) {
    throw new RegistryError("INVALID", `${source} names one image, but all tags are to be copied`, {
      hint: "leave the tag out, or --all-tags",
    });
  }
  return copyImages(source, destinations, cli, { allTags: all, noClobber: cli.get(noClobber) });
};

function namesOne(place: string): boolean {
  const location = parseLocation(place);
  if (location.transport !== "registry") return location.ref !== undefined;
  return location.reference.tag !== undefined || location.reference.digest !== undefined;
}
