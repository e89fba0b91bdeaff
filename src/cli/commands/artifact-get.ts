import { mkdir } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { doing } from "../../files/file-error.ts";
import {
  isIndexType,
  mediaTypes,
  RegistryError,
  titleAnnotation,
  type Descriptor,
  type Digest,
  type Manifest,
  type Store,
} from "../../index.ts";
import type { Run } from "../command.ts";
import { writeWhole } from "../files.ts";
import { manifestOf } from "../image.ts";
import { artifactType, outputDirectory } from "../options.ts";
import { plain } from "../render/text.ts";

interface Fetched {
  readonly path: string;
  readonly artifact: Digest;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export const run: Run<[reference: string]> = async ([reference], { get, open, out, signal }) => {
  const { store, ref, name } = await open(reference, "pull");
  const root = await manifestOf(store, ref, name, signal);
  const type = get(artifactType);
  const artifacts = type === undefined && isArtifact(root) ? [root] : await attachedTo(store, root, type, signal);
  if (artifacts.length === 0) {
    throw new RegistryError(
      "MANIFEST_UNKNOWN",
      `nothing${type === undefined ? "" : ` of type ${type}`} is attached to ${name}`,
      { hint: `what is attached to it: gantry tree ${name}` },
    );
  }
  const directory = resolve(get(outputDirectory) ?? ".");
  const files = artifacts.flatMap((artifact) =>
    filesOf(artifact).map((blob) => ({ artifact, blob, path: pathFor(blob, directory) })),
  );
  const twice = files.find(({ path }, i) => files.findIndex((other) => other.path === path) !== i);
  if (twice)
    throw new RegistryError("CONFLICT", `two of the files are called ${plain(twice.path)}`, {
      hint: "fetch one artifact at a time, by its digest",
    });
  const fetched: Fetched[] = [];
  for (const { artifact, blob, path } of files) {
    await doing(`write ${path}`, () => mkdir(dirname(path), { recursive: true }));
    await writeWhole(path, await store.blob(blob.digest, { signal, size: blob.size }), signal);
    fetched.push({
      path,
      artifact: artifact.descriptor.digest,
      mediaType: blob.mediaType,
      digest: blob.digest,
      size: blob.size,
    });
  }
  await out.print({ name, files: fetched }, ({ files }) => files.map(({ path }) => `${plain(path)}\n`).join(""));
};

/** An image manifest whose config is no image's. */
function isArtifact({ descriptor, config }: Manifest): boolean {
  if (isIndexType(descriptor.mediaType)) return false;
  return config?.mediaType !== mediaTypes.ociConfig && config?.mediaType !== mediaTypes.dockerConfig;
}

async function attachedTo(
  store: Store,
  subject: Manifest,
  type: string | undefined,
  signal: AbortSignal,
): Promise<Manifest[]> {
  const listed = store.referrers(subject.descriptor.digest, {
    signal,
    ...(type !== undefined && { artifactType: type }),
  });
  return Array.fromAsync(listed, ({ digest }) => manifestOf(store, digest, `${store.name}@${digest}`, signal));
}

function filesOf(artifact: Manifest): readonly Descriptor[] {
  return artifact.blobs.filter((blob) => blob !== artifact.config && blob.mediaType !== mediaTypes.ociEmpty);
}

/** A file's place below the directory, by its title; a title that leads elsewhere throws UNVERIFIED. */
function pathFor({ annotations, digest }: Descriptor, directory: string): string {
  const title = annotations?.[titleAnnotation] ?? digest.replace(":", "-");
  const path = resolve(directory, title);
  const inside =
    path.startsWith(directory === sep ? sep : `${directory}${sep}`) && !title.split(/[\\/]/).includes("..");
  // oxlint-disable-next-line no-control-regex -- no file is called so by accident
  if (inside && !/[\u0000-\u001F]/.test(title) && !title.startsWith("/")) return path;
  throw new RegistryError(
    "UNVERIFIED",
    `a file of the artifact wants to be ${JSON.stringify(plain(title))}, outside of ${directory}`,
    {
      hint: "nothing was written; fetch the file alone with gantry blob get",
    },
  );
}
