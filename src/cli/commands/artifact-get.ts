import { createReadStream, type Stats } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { doing } from "../../files/file-error.ts";
import { makeDirectories } from "../../files/make-directories.ts";
import { realPath } from "../../files/real-path.ts";
import {
  algorithmOf,
  digester,
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
import { find, writeWhole } from "../files.ts";
import { manifestOf } from "../image.ts";
import { artifactType, outputDirectory, overwrite } from "../options.ts";
import { plain } from "../render/text.ts";

interface Fetched {
  readonly path: string;
  readonly artifact: Digest;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly how: "written" | "exists";
}

interface Wanted {
  readonly path: string;
  /** Where the links in it lead: below the directory, too. */
  readonly target: string;
  readonly artifact: Manifest;
  readonly blob: Descriptor;
}

export const run: Run<[reference: string]> = async ([reference], { get, open, out, reporter, signal }) => {
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
  const wanted = wantedOf(artifacts, resolve(get(outputDirectory) ?? "."));
  const there = await unchanged(wanted, get(overwrite), signal);
  for (const path of there) reporter.say(plain(`${path} is there already, with the same content`));
  const fetched: Fetched[] = [];
  const done = new Set<string>();
  for (const { artifact, blob, path, target } of wanted) {
    const exists = there.has(path) || done.has(target);
    if (!exists) {
      await doing(`write ${path}`, () => makeDirectories(dirname(target)));
      await writeWhole(target, await store.blob(blob.digest, { signal, size: blob.size }), signal);
    }
    done.add(target);
    const { mediaType, digest, size } = blob;
    const how = exists ? "exists" : "written";
    fetched.push({ path, artifact: artifact.descriptor.digest, mediaType, digest, size, how });
  }
  await out.print({ name, files: fetched }, ({ files }) => files.map(({ path }) => `${plain(path)}\n`).join(""));
};

/** All files of some artifacts, each with its place; throws CONFLICT where two different ones have the same, or one is below another. */
function wantedOf(artifacts: readonly Manifest[], directory: string): readonly Wanted[] {
  const wanted = artifacts.flatMap((artifact) =>
    filesOf(artifact).map((blob) => {
      const path = pathFor(blob, directory);
      return { artifact, blob, path, target: targetOf(path, directory) };
    }),
  );
  const twice = wanted.find(({ target, blob }) =>
    wanted.some((other) =>
      other.target === target ? other.blob.digest !== blob.digest : isBelow(other.target, target),
    ),
  );
  if (!twice) return wanted;
  throw new RegistryError("CONFLICT", `two of the files are called ${plain(twice.path)}, or one is below it`, {
    hint: "fetch one artifact at a time, by its digest",
  });
}

/** The places where the very file is already; throws INVALID where another one is that may not be overwritten, or no file. */
async function unchanged(
  wanted: readonly Wanted[],
  mayOverwrite: boolean,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const [same, others] = [new Set<string>(), new Set<string>()];
  for (const { path, blob } of wanted) {
    const found = await doing(`write ${path}`, () => find(path));
    if (found) ((await isWhatIsThere(blob, path, found, signal)) ? same : others).add(path);
  }
  if (others.size === 0 || mayOverwrite) return same;
  const are = others.size === 1 ? "is" : "are";
  throw new RegistryError("INVALID", plain(`${[...others].join(", ")} ${are} there already, with other content`), {
    hint: "nothing was written; choose another directory with -o, or overwrite with --force",
  });
}

async function isWhatIsThere(
  { digest, size }: Descriptor,
  path: string,
  found: Stats,
  signal: AbortSignal,
): Promise<boolean> {
  return doing(`read ${path}`, async () => {
    if (!found.isFile()) throw new RegistryError("INVALID", plain(`${path} is there already, and is no file`));
    if (found.size !== size) return false;
    const state = digester(algorithmOf(digest));
    for await (const piece of createReadStream(path, { signal })) state.update(piece as Buffer);
    return state.digest() === digest;
  });
}

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
  const inside = isBelow(path, directory) && !title.split(/[\\/]/).includes("..");
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

/** Where the links of a path lead, be it there or not; throws INVALID where that is no longer below the directory. */
function targetOf(path: string, directory: string): string {
  const target = realPath(path);
  if (isBelow(target, realPath(directory))) return target;
  throw new RegistryError("INVALID", plain(`${path}: a symbolic link leads to ${target}, outside of ${directory}`), {
    hint: "nothing was written; take the link away, or choose another directory with -o",
  });
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(directory === sep ? sep : `${directory}${sep}`);
}
