import { isDigest } from "../../oci/digest.ts";
import { isRepository, isTag } from "../../oci/reference.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Registry, Store } from "../store.ts";
import { deleteManifest } from "./delete.ts";
import { getBlob, headBlob } from "./download.ts";
import { listRepositories, listTags } from "./lists.ts";
import { getManifest, headManifest } from "./manifests.ts";
import { blobPutter } from "./put-blob.ts";
import { dropManifest, putManifest } from "./put-manifest.ts";
import { listReferrers } from "./referrers.ts";
import { remote, remoteRepository, type RemoteOptions } from "./remote.ts";

/** One repository of a registry that speaks the distribution API, over a transport. */
export function remoteStore({ repository, ...options }: RemoteOptions & { readonly repository: string }): Store {
  if (!isRepository(repository))
    throw new RegistryError("INVALID", `${JSON.stringify(repository)} cannot be a repository`);
  const at = remoteRepository(remote(options), repository);
  return {
    name: at.name,
    head: (ref, call) => headManifest(at, ref, call),
    manifest: (ref, call) => getManifest(at, ref, call),
    size: (blob, call) => headBlob(at, blob, call),
    blob: (blob, call) => getBlob(at, blob, call),
    tags: (call) => listTags(at, call),
    referrers: (subject, call) => listReferrers(at, subject, call),
    putBlob: blobPutter(at),
    putManifest: (manifest, call) => putManifest(at, manifest, call),
    // By a digest all tags go, and by a tag the registry says what: neither may stand for the other.
    async deleteTag(tag, call) {
      if (!isTag(tag)) throw new RegistryError("INVALID", `${JSON.stringify(tag)} is no tag`);
      await deleteManifest(at, tag, call);
    },
    async deleteManifest(digest, call) {
      if (!isDigest(digest)) throw new RegistryError("INVALID", `${JSON.stringify(digest)} is no digest`);
      await dropManifest(at, digest, call);
    },
    flush: async () => {},
    close: async () => {},
  };
}

/** A registry that speaks the distribution API, over a transport. */
export function remoteRegistry(options: RemoteOptions): Registry {
  const at = remote(options);
  return {
    name: at.registry,
    repositories: (prefix, call) => listRepositories(at, prefix, call),
    repository: (name) => remoteStore({ ...options, shared: at.shared, repository: name }),
  };
}
