import { immutableFault, isTag, RegistryError, type Manifest, type Store } from "../../index.ts";
import type { Run } from "../command.ts";
import { immutableTags } from "../immutable.ts";
import { manifestOf } from "../image.ts";
import { dryRun } from "../options.ts";

export const run: Run<[reference: string, tags: string[]]> = async ([reference, tags], cli) => {
  const { get, open, out, signal } = cli;
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) {
    throw new RegistryError("INVALID", `${JSON.stringify(wrong)} is no tag`, {
      hint: "write the tag alone; to another repository, use gantry copy",
    });
  }
  const { store, ref, name } = await open(reference);
  const manifest = await manifestOf(store, ref, name, signal);
  const immutable = await immutableTags(cli);
  for (const tag of tags.filter((one) => immutable?.(one))) await expectUnmoved(store, tag, manifest, signal);
  if (!get(dryRun)) {
    for (const tag of tags) await store.putManifest(manifest, { tag, signal });
    await store.flush({ signal });
  }
  const result = { name, digest: manifest.descriptor.digest, tags: tags.map((tag) => `${store.name}:${tag}`) };
  await out.print(result, ({ digest, tags }) => tags.map((tag) => `${tag}@${digest}\n`).join(""));
};

async function expectUnmoved(store: Store, tag: string, { descriptor }: Manifest, signal: AbortSignal): Promise<void> {
  const there = await store.head(tag, { signal });
  if (there && there.digest !== descriptor.digest) throw immutableFault(`${store.name}:${tag}`, there.digest);
}
