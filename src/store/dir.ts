import { algorithmOf, digestOf, hexOf, isDigest, type Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { manifestLimit, parseManifest, type Manifest } from "../oci/manifest.ts";
import { verified } from "../oci/stream.ts";
import { abortable, throwIfAborted } from "../oci/abort.ts";
import { bytesOf, directory } from "./files/directory.ts";
import type { LocalStore } from "./local-store.ts";
import type { Call } from "./store.ts";
import { turns } from "./turns.ts";

const root = "manifest.json";
const versionFile = "version";
const version = "Directory Transport Version: 1.1\n";
const childFile = (digest: Digest): string => `${hexOf(digest)}.manifest.json`;
const childForm = /^([0-9a-f]{64}|[0-9a-f]{128})\.manifest\.json$/;

/**
 * One image in a plain directory, as skopeo's `dir:` has it: manifest.json, a file for each blob, and one for each further
 * manifest. It has no tags: whatever is not a digest names the one image, and a manifest put with a tag becomes it; where
 * none is, the last that was put and is attached to nothing does at `flush`.
 */
export function dirStore(path: string): LocalStore {
  const files = directory(path);
  const name = `dir:${path}`;
  const inTurn = turns();
  let created = false;
  let rooted = false;
  let last: Manifest | undefined;

  /** What is in the directory, all of it an image's. */
  const list = async (): Promise<readonly string[]> => {
    const present = (await files.list()).filter((file) => !file.startsWith("."));
    if (present.length > 0 && !present.includes(versionFile)) {
      throw new RegistryError("INVALID", `${path} has other files in it`, {
        hint: "name a new or empty directory, or one that an image was written to before",
      });
    }
    return present;
  };

  const create = async (): Promise<void> => {
    if (created) return;
    if ((await list()).length === 0) await files.put(versionFile, bytesOf(version));
    created = true;
  };

  const read = async (file: string, digest?: Digest): Promise<Manifest | undefined> => {
    const bytes = await files.read(file, manifestLimit);
    return bytes && parseManifest(bytes, digest ? { digest } : {});
  };

  const manifest = async (ref: string, call: Call | undefined): Promise<Manifest | undefined> => {
    throwIfAborted(call?.signal);
    if (!isDigest(ref)) return read(root);
    const child = await read(childFile(ref), ref);
    if (child) return child;
    const bytes = await files.read(root, manifestLimit);
    return bytes && digestOf(bytes, algorithmOf(ref)) === ref ? parseManifest(bytes, { digest: ref }) : undefined;
  };

  const all = async (): Promise<readonly Manifest[]> => {
    const names = (await files.list()).filter((file) => file === root || childForm.test(file));
    const found = await Promise.all(names.map((file) => read(file)));
    return found.filter((one) => one !== undefined);
  };

  const unsupported = (): RegistryError =>
    new RegistryError("UNSUPPORTED", `nothing can be deleted from ${name}: it is one image`, {
      hint: "remove the directory",
    });

  return {
    name,
    manifest,
    async head(ref, call) {
      const found = (await manifest(ref, call))?.descriptor;
      return found && { mediaType: found.mediaType, digest: found.digest, size: found.size };
    },
    async size(digest, call) {
      throwIfAborted(call?.signal);
      return files.size(blobFile(digest));
    },
    async blob(digest, call) {
      throwIfAborted(call?.signal);
      const size = await files.size(blobFile(digest));
      const absent = (): Error => new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in ${name}`);
      if (size === undefined) throw absent();
      const stream = files.stream(blobFile(digest), { absent, transient: call?.transient });
      return verified(abortable(stream, call?.signal), { digest, size: call?.size ?? size });
    },
    async *tags(call) {
      throwIfAborted(call?.signal);
      yield* [];
    },
    async *referrers(subject, call) {
      throwIfAborted(call?.signal);
      for (const { descriptor, subject: of } of await all()) {
        const wanted = call?.artifactType === undefined || call.artifactType === descriptor.artifactType;
        if (of?.digest === subject && wanted) yield descriptor;
      }
    },
    async roots(call) {
      const found = await manifest("", call);
      return found ? [found.descriptor] : [];
    },
    async putBlob({ digest, size }, content, call) {
      throwIfAborted(call?.signal);
      return inTurn(digest, async () => {
        throwIfAborted(call?.signal);
        const present = call?.replace ? undefined : await files.size(blobFile(digest));
        if (present !== undefined && (size === undefined || size === present)) return "exists";
        await create();
        await files.put(blobFile(digest), verified(abortable(await content(), call?.signal), { digest, size }));
        return "written";
      });
    },
    async putManifest(manifest, call) {
      throwIfAborted(call?.signal);
      const { digest } = manifest.descriptor;
      if (digestOf(manifest.bytes, algorithmOf(digest)) !== digest) {
        throw new RegistryError("DIGEST_INVALID", `the bytes of manifest ${digest} have another digest`);
      }
      await create();
      await files.sync();
      await files.put(call?.tag === undefined ? childFile(digest) : root, bytesOf(manifest.bytes));
      if (call?.tag !== undefined) await files.remove(childFile(digest));
      await files.sync();
      if (call?.tag !== undefined) rooted = true;
      else if (!manifest.subject) last = manifest;
    },
    async deleteTag(_tag, call) {
      throwIfAborted(call?.signal);
      throw unsupported();
    },
    async deleteManifest(_digest, call) {
      throwIfAborted(call?.signal);
      throw unsupported();
    },
    async checkPlace() {
      await list();
    },
    async flush() {
      if (rooted || !last) return files.sync();
      await files.put(root, bytesOf(last.bytes));
      await files.remove(childFile(last.descriptor.digest));
      await files.sync();
      last = undefined;
    },
    close: async () => {},
  };
}

/** A blob's file; of a checked digest, so that it leads nowhere else. */
function blobFile(digest: Digest): string {
  if (!isDigest(digest)) throw new RegistryError("DIGEST_INVALID", `invalid digest ${JSON.stringify(digest)}`);
  return hexOf(digest);
}
