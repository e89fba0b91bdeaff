import type { Run } from "../command.ts";
import { copyImages } from "../copy-images.ts";
import { detectLocation, localPart } from "../local-image.ts";
import { as } from "../options.ts";

export const run: Run<[path: string, reference: string]> = async ([path, reference], cli) => {
  const source = await detectLocation(path, cli.get(as));
  localPart(source);
  return copyImages(source, [reference], cli);
};
