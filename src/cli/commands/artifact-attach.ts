import { basename } from "node:path";
import { attach, RegistryError, type ArtifactFile } from "../../index.ts";
import type { Run } from "../command.ts";
import { digestFile } from "../files.ts";
import { annotations, artifactType } from "../options.ts";

export const run: Run<[reference: string, files: string[]]> = async (
  [reference, files],
  { get, open, out, signal },
) => {
  const type = get(artifactType);
  if (type === undefined)
    throw new RegistryError("INVALID", "the artifact has no type", {
      hint: "say what it is: --type application/spdx+json",
    });
  const named = files.map(parseFile);
  const titles = named.map(({ path }) => basename(path));
  const twice = titles.find((title, i) => titles.indexOf(title) !== i);
  if (twice !== undefined) throw new RegistryError("INVALID", `two of the files are called ${twice}`);
  const { store, ref, name } = await open(reference);
  const content = await Promise.all(
    named.map(async ({ path, mediaType }): Promise<ArtifactFile> => ({
      ...(await digestFile(path, signal)),
      mediaType,
      title: basename(path),
    })),
  );
  const descriptor = await attach(
    store,
    { artifactType: type, files: content, annotations: Object.fromEntries(get(annotations)) },
    { subject: ref, signal },
  );
  await store.flush({ signal });
  const result = {
    name: `${store.name}@${descriptor.digest}`,
    subject: name,
    digest: descriptor.digest,
    artifactType: type,
    files: content.map(({ title, mediaType, digest, size }) => ({ title, mediaType, digest, size })),
  };
  await out.print(result, ({ name }) => `${name}\n`);
};

/** Reads `FILE` or `FILE:MEDIA/TYPE`. */
function parseFile(text: string): { readonly path: string; readonly mediaType: string } {
  const [, path, mediaType] = /^(.+):([\w.+-]+\/[\w.+-]+)$/.exec(text) ?? [];
  return { path: path ?? text, mediaType: mediaType ?? "application/octet-stream" };
}
