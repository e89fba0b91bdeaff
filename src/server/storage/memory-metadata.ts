import type { Descriptor } from "../../oci/descriptor.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { cutReferrers } from "./referrers-page.ts";
import type { Metadata, Page, StoredManifest } from "./storage.ts";

interface Repository {
  readonly blobs: Map<Digest, number>;
  readonly manifests: Map<Digest, StoredManifest>;
  readonly tags: Map<string, Digest>;
  readonly referrers: Map<Digest, Map<Digest, Descriptor>>;
}

/** Metadata in memory, for tests and throw-away registries. */
export function memoryMetadata(): Metadata {
  const repositories = new Map<string, Repository>();
  const find = (name: string): Repository | undefined => repositories.get(name);
  const make = (name: string): Repository => {
    const made = repositories.get(name) ?? {
      blobs: new Map(),
      manifests: new Map(),
      tags: new Map(),
      referrers: new Map(),
    };
    repositories.set(name, made);
    return made;
  };

  return {
    manifest(repository, ref) {
      const found = find(repository);
      const digest = isDigest(ref) ? ref : found?.tags.get(ref);
      return digest && found?.manifests.get(digest);
    },
    blob: (repository, digest) => find(repository)?.blobs.get(digest),
    holders(digest, limit) {
      const names = repositories.entries().filter(([, { blobs }]) => blobs.has(digest));
      return names
        .take(limit)
        .map(([name]) => name)
        .toArray();
    },
    tags(repository, page) {
      const found = find(repository);
      return found && pageOf(found.tags.keys(), page);
    },
    repositories(page) {
      const names = repositories.entries().filter(([, { manifests }]) => manifests.size > 0);
      return pageOf(
        names.map(([name]) => name),
        page,
      );
    },
    referrers(repository, subject, page) {
      const { artifactTypes, after = "" } = page;
      const all = [...(find(repository)?.referrers.get(subject)?.values() ?? [])];
      const wanted = all.filter(
        ({ digest, artifactType = "" }) => digest > after && (artifactTypes?.includes(artifactType) ?? true),
      );
      return cutReferrers(
        wanted.sort((a, b) => (a.digest < b.digest ? -1 : 1)),
        page,
      );
    },
    async linkBlob(repository, { digest, size }) {
      make(repository).blobs.set(digest, size);
    },
    unlinkBlob: async (repository, digest) => find(repository)?.blobs.delete(digest) ?? false,
    async putManifest(repository, manifest, { tags, needs }) {
      const there = find(repository);
      const missing = needs.find((digest) => !there?.blobs.has(digest) && !there?.manifests.has(digest));
      if (missing) return missing;
      const target = make(repository);
      const { digest } = manifest.descriptor;
      target.manifests.set(digest, manifest);
      for (const tag of tags) target.tags.set(tag, digest);
      if (manifest.subject) {
        const list = target.referrers.get(manifest.subject) ?? new Map<Digest, Descriptor>();
        target.referrers.set(manifest.subject, list.set(digest, manifest.descriptor));
      }
      return undefined;
    },
    deleteTag: async (repository, tag) => find(repository)?.tags.delete(tag) ?? false,
    async deleteManifest(repository, digest) {
      const found = find(repository);
      const manifest = found?.manifests.get(digest);
      if (!found || !manifest) return false;
      found.manifests.delete(digest);
      for (const [tag, target] of found.tags) if (target === digest) found.tags.delete(tag);
      if (manifest.subject) found.referrers.get(manifest.subject)?.delete(digest);
      return true;
    },
  };
}

function pageOf(names: Iterable<string>, { after, limit }: Page): readonly string[] {
  const rest = after === undefined ? [...names] : [...names].filter((name) => name > after);
  return rest.sort().slice(0, limit);
}
