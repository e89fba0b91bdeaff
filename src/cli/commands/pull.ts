import { hostPlatform, parseReference } from "../../index.ts";
import type { Run } from "../command.ts";
import { copyImages } from "../copy-images.ts";
import { isLocation, localPart } from "../local-image.ts";
import { as, platforms } from "../options.ts";

export const run: Run<[reference: string, path: string | undefined]> = ([reference, path], cli) => {
  const destination = destinationOf(reference, path, cli.get(as));
  const { transport } = localPart(destination);
  const single = transport === "docker-archive" && cli.get(platforms).length === 0;
  return copyImages(reference, [destination], cli, single ? { platforms: [hostPlatform()] } : {});
};

/** Where a pull goes: what is said, or what the path's name says. */
function destinationOf(reference: string, path: string | undefined, kind: string | undefined): string {
  if (path !== undefined && isLocation(path)) return path;
  const { repository } = parseReference(reference.replace(/^docker:\/\//, ""));
  const name =
    path ?? `${repository.slice(repository.lastIndexOf("/") + 1)}${kind?.endsWith("-archive") ? ".tar" : ""}`;
  return `${kind ?? (name === "-" || name.endsWith(".tar") ? "oci-archive" : "oci")}:${name}`;
}
