import { isDigest, RegistryError } from "../../index.ts";
import type { Run } from "../command.ts";
import { writeWhole } from "../files.ts";
import { outputFile } from "../options.ts";

export const run: Run<[reference: string]> = async ([reference], { get, client, out, signal }) => {
  const { store, ref, name } = (await client({ from: [reference] })).open(reference, "pull");
  if (ref === undefined || !isDigest(ref)) {
    throw new RegistryError("INVALID", `${name} names no blob`, {
      hint: "write REPOSITORY@DIGEST; gantry manifest shows the digests",
    });
  }
  const path = get(outputFile);
  const stream = await store.blob(ref, { signal });
  if (path === undefined || path === "-") await out.bytes(stream);
  else await writeWhole(path, stream, signal);
};
