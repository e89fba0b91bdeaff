import { readFile, writeFile } from "node:fs/promises";
import { ociArchiveStore } from "../../src/store/index.ts";
import { image, putImage } from "./images.ts";

/** Writes an archive whose image, `old`, has a damaged layer: what is put beside it cannot be flushed, as not all can go along. */
export async function damagedArchive(path: string): Promise<void> {
  const old = image("old");
  const store = ociArchiveStore(path);
  await putImage(store, old, "old");
  await store.flush();
  await store.close();
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes[bytes.indexOf(old.blobs[1]!.bytes)]! ^ 1, bytes.indexOf(old.blobs[1]!.bytes));
  await writeFile(path, bytes);
}
