import { isIndexType } from "../../index.ts";
import type { Run } from "../command.ts";
import { absent, manifestOf, oneImage } from "../image.ts";
import { onePlatform } from "../options.ts";

export const run: Run<[reference: string]> = async ([reference], { get, open, out, signal }) => {
  const { store, ref, name } = await open(reference, "pull");
  const platform = get(onePlatform);
  let descriptor = await store.head(ref, { signal });
  if (!descriptor) throw absent(name);
  if (platform && isIndexType(descriptor.mediaType)) {
    descriptor = (await oneImage(store, await manifestOf(store, ref, name, signal), platform, signal)).descriptor;
  }
  const { digest, mediaType, size } = descriptor;
  await out.print({ name, digest, mediaType, size }, (result) => `${result.digest}\n`);
};
