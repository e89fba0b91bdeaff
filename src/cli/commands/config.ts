import { imageConfig } from "../../index.ts";
import type { Run } from "../command.ts";
import { manifestOf, oneImage } from "../image.ts";
import { onePlatform } from "../options.ts";

export const run: Run<[reference: string]> = async ([reference], { get, open, out, signal }) => {
  const { store, ref, name } = await open(reference, "pull");
  const root = await manifestOf(store, ref, name, signal);
  const image = await oneImage(store, root, get(onePlatform), signal);
  const { bytes } = await imageConfig(store, image, { signal });
  await out.document(bytes);
};
