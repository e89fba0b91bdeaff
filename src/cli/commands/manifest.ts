import type { Run } from "../command.ts";
import { manifestOf, oneImage } from "../image.ts";
import { onePlatform } from "../options.ts";

export const run: Run<[reference: string]> = async ([reference], { get, open, out, signal }) => {
  const { store, ref, name } = await open(reference, "pull");
  const root = await manifestOf(store, ref, name, signal);
  const platform = get(onePlatform);
  const manifest = platform ? await oneImage(store, root, platform, signal) : root;
  await out.document(manifest.bytes);
};
