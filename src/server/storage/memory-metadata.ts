import type { Descriptor } from "../../oci/descriptor.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { cutInventory } from "./inventory-page.ts";
import { cutReferrers } from "./referrers-page.ts";
import type { ManifestRecord, Metadata, Page, TagRecord } from "./storage.ts";

interface Repository {
  readonly blobs: Map<Digest, number>;
  readonly manifests: Map<Digest, Omit<ManifestRecord, "tags">>;
  readonly tags: Map<string, { readonly digest: Digest; readonly moved: number }>;
  readonly referrers: Map<Digest, Map<Digest, Descriptor>>;
}

/** Metadata in memory, for tests and throw-away registries. */
export function memoryMetadata(now: () => number): Metadata {
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
      const digest = isDigest(ref) ? ref : found?.tags.get(ref)?.digest;
      return digest && found?.manifests.get(digest)?.manifest;
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
    inventory(repository, page) {
      const found = find(repository);
      if (!found) return undefined;
      const named = Map.groupBy(found.tags, ([, { digest }]) => digest);
      const digests = [...found.manifests.keys()].sort();
      return cutInventory(
        {
          manifests: (from) => digests.filter((digest) => digest >= from).map((digest) => found.manifests.get(digest)!),
          tags: (digest, after, limit) =>
            (named.get(digest) ?? [])
              .map(([name, { moved }]): TagRecord => ({ name, moved }))
              .filter(({ name }) => name > after)
              .sort((a, b) => (a.name < b.name ? -1 : 1))
              .slice(0, limit),
        },
        page,
      );
    },
    notePull(repository, manifest) {
      const manifests = find(repository)?.manifests;
      const found = manifests?.get(manifest.descriptor.digest);
      const pulled = Math.max(now(), found?.pulled ?? 0);
      if (found) manifests?.set(manifest.descriptor.digest, { ...found, pulled });
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
      const pushed = now();
      target.manifests.set(digest, { ...target.manifests.get(digest), manifest, pushed });
      for (const tag of tags) {
        const before = target.tags.get(tag);
        target.tags.set(tag, before?.digest === digest ? before : { digest, moved: pushed });
      }
      if (manifest.subject) {
        const list = target.referrers.get(manifest.subject) ?? new Map<Digest, Descriptor>();
        target.referrers.set(manifest.subject, list.set(digest, manifest.descriptor));
      }
      return undefined;
    },
    deleteTag: async (repository, tag) => find(repository)?.tags.delete(tag) ?? false,
    async deleteManifest(repository, digest) {
      const found = find(repository);
      const manifest = found?.manifests.get(digest)?.manifest;
      if (!found || !manifest) return false;
      found.manifests.delete(digest);
      for (const [tag, target] of found.tags) if (target.digest === digest) found.tags.delete(tag);
      if (manifest.subject) found.referrers.get(manifest.subject)?.delete(digest);
      return true;
    },
  };
}

function pageOf(names: Iterable<string>, { after, limit }: Page): readonly string[] {
  const rest = after === undefined ? [...names] : [...names].filter((name) => name > after);
  return rest.sort().slice(0, limit);
}
