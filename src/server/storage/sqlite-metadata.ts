import type { SQLOutputValue } from "node:sqlite";
import type { Descriptor } from "../../oci/descriptor.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { groupCommit } from "./group-commit.ts";
import { cutInventory } from "./inventory-page.ts";
import { lru } from "./lru.ts";
import { notedPulls } from "./pulls.ts";
import { cutReferrers } from "./referrers-page.ts";
import type { MetadataFile } from "./schema.ts";
import { statements, type Statements } from "./sql.ts";
import type { Metadata, ReferrersPage, StoredManifest, TagRecord } from "./storage.ts";

const manifestCache = 32 * 1024 * 1024;
const entryCache = 50_000;

/**
 * Metadata in SQLite. Reads are answered from memory where they were before: this process alone writes, and every
 * write forgets what it changes in the same turn in which it commits.
 */
export function sqliteMetadata(
  { database, sync }: MetadataFile,
  now: () => number,
): Metadata & { settled(): Promise<void> } {
  const sql = statements(database);
  const commits = groupCommit(database, sync);
  const manifests = lru<StoredManifest>(manifestCache, ({ bytes }) => bytes.byteLength + 1000);
  const tags = lru<Digest>(entryCache);
  const blobs = lru<number>(entryCache);
  const repositories = lru<number>(entryCache);
  const pulls = notedPulls(now, (batch) =>
    commits.run(() => {
      for (const { repository, digest, pulled } of batch) sql.notePull.run(pulled, storedId(repository) ?? -1, digest);
    }),
  );

  function idOf(name: string): number | undefined {
    const known = repositories.get(name);
    if (known !== undefined) return known;
    const id = storedId(name);
    if (id !== undefined) repositories.set(name, id);
    return id;
  }

  /** Inside a transaction nothing is remembered: it may be rolled back. */
  function storedId(name: string): number | undefined {
    return sql.repository.get(name)?.["id"] as number | undefined;
  }

  function makeRepository(name: string): number {
    return storedId(name) ?? Number(sql.makeRepository.run(name).lastInsertRowid);
  }

  function tagTarget(repository: string, tag: string): Digest | undefined {
    const known = tags.get(keyOf(repository, tag));
    if (known) return known;
    const digest = sql.tag.get(idOf(repository) ?? -1, tag)?.["digest"] as Digest | undefined;
    if (digest) tags.set(keyOf(repository, tag), digest);
    return digest;
  }

  function manifestBy(repository: string, digest: Digest): StoredManifest | undefined {
    const key = keyOf(repository, digest);
    const known = manifests.get(key);
    if (known) return known;
    const row = sql.manifest.get(idOf(repository) ?? -1, digest);
    if (!row) return undefined;
    const manifest = storedIn(row);
    const pulled = pulls.find(repository, digest) ?? (row["pulled"] as number | null);
    if (pulled !== null) pulls.know(manifest, pulled);
    manifests.set(key, manifest);
    return manifest;
  }

  return {
    async settled() {
      await pulls.flush();
      await commits.settled();
    },
    manifest(repository, ref) {
      const digest = isDigest(ref) ? ref : tagTarget(repository, ref);
      return digest && manifestBy(repository, digest);
    },
    blob(repository, digest) {
      const key = keyOf(repository, digest);
      const known = blobs.get(key);
      if (known !== undefined) return known;
      const size = sql.blob.get(idOf(repository) ?? -1, digest)?.["size"] as number | undefined;
      if (size !== undefined) blobs.set(key, size);
      return size;
    },
    holders: (digest, limit) => sql.holders.all(digest, limit).map((row) => row["name"] as string),
    tags(repository, { after = "", limit }) {
      const id = idOf(repository);
      return id === undefined ? undefined : sql.tags.all(id, after, limit).map((row) => row["name"] as string);
    },
    repositories: ({ after = "", limit }) => sql.repositories.all(after, limit).map((row) => row["name"] as string),
    referrers: (repository, subject, page) =>
      cutReferrers(referrersOf(sql, idOf(repository) ?? -1, subject, page), page),
    inventory(repository, page) {
      const id = idOf(repository);
      if (id === undefined) return undefined;
      return cutInventory(
        {
          manifests: (from) =>
            sql.inventory.iterate(id, from).map((row) => {
              const manifest = storedIn(row);
              const pulled = pulls.find(repository, manifest.descriptor.digest) ?? (row["pulled"] as number | null);
              return { manifest, pushed: row["pushed"] as number, ...(pulled !== null && { pulled }) };
            }),
          tags: (digest, after, limit) => sql.tagsOf.all(id, digest, after, limit).map(tagIn),
        },
        page,
      );
    },
    notePull: (repository, manifest) => pulls.note(repository, manifest),

    linkBlob: (repository, { digest, size }) =>
      commits.run(() => {
        blobs.delete(keyOf(repository, digest));
        sql.linkBlob.run(makeRepository(repository), digest, size, now());
      }),
    unlinkBlob: (repository, digest) =>
      commits.run(() => {
        blobs.delete(keyOf(repository, digest));
        return sql.unlinkBlob.run(storedId(repository) ?? -1, digest).changes === 1;
      }),
    putManifest: (repository, { descriptor, bytes, subject, created, platform }, { tags: names, needs }) =>
      commits.run(() => {
        const there = storedId(repository) ?? -1;
        const missing = needs.find((digest) => !sql.blob.get(there, digest) && !sql.hasManifest.get(there, digest));
        if (missing) return missing;
        const id = makeRepository(repository);
        const { digest, artifactType = null } = descriptor;
        manifests.delete(keyOf(repository, digest));
        const about = [JSON.stringify(descriptor), artifactType, subject ?? null, created ?? null, platform ?? null];
        sql.putManifest.run(id, digest, ...about, now(), bytes);
        for (const name of names) {
          tags.delete(keyOf(repository, name));
          sql.putTag.run(id, name, digest, now());
        }
        return undefined;
      }),
    deleteTag: (repository, tag) =>
      commits.run(() => {
        tags.delete(keyOf(repository, tag));
        return sql.deleteTag.run(storedId(repository) ?? -1, tag).changes === 1;
      }),
    deleteManifest: (repository, digest) =>
      commits.run(() => {
        const id = storedId(repository) ?? -1;
        manifests.delete(keyOf(repository, digest));
        pulls.forget(repository, digest);
        for (const row of sql.deleteTagsOf.all(id, digest)) tags.delete(keyOf(repository, row["name"] as string));
        return sql.deleteManifest.run(id, digest).changes === 1;
      }),
  };
}

type Row = Readonly<Record<string, SQLOutputValue>>;

/** Names of repositories have no space in them. */
function keyOf(repository: string, ref: string): string {
  return `${repository} ${ref}`;
}

function storedIn(row: Row): StoredManifest {
  const [subject, created, platform] = [row["subject"], row["created"], row["platform"]] as (string | null)[];
  return {
    descriptor: JSON.parse(row["descriptor"] as string) as Descriptor,
    bytes: row["bytes"] as Uint8Array,
    ...(subject && { subject: subject as Digest }),
    ...(created && { created }),
    ...(platform && { platform }),
  };
}

function tagIn(row: Row): TagRecord {
  const moved = row["moved"] as number | null;
  return { name: row["name"] as string, ...(moved !== null && { moved }) };
}

function* referrersOf(
  sql: Statements,
  repository: number,
  subject: Digest,
  { after = "", artifactTypes }: ReferrersPage,
): Iterable<Descriptor> {
  const wanted = artifactTypes === undefined ? null : JSON.stringify(artifactTypes);
  for (const row of sql.referrers.iterate(repository, subject, after, wanted, wanted)) {
    yield JSON.parse(row["descriptor"] as string) as Descriptor;
  }
}
