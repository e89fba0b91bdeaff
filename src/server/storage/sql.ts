import type { DatabaseSync, StatementSync } from "node:sqlite";

/** The statements of the registry's database, prepared. */
export type Statements = Readonly<Record<keyof typeof texts, StatementSync>>;

const texts = {
  repository: "SELECT id FROM repositories WHERE name = ?",
  makeRepository: "INSERT INTO repositories (name) VALUES (?)",
  repositories: `SELECT name FROM repositories AS r WHERE name > ?
    AND EXISTS (SELECT 1 FROM manifests WHERE repository = r.id) ORDER BY name LIMIT ?`,
  blob: "SELECT size FROM blobs WHERE repository = ? AND digest = ?",
  holders: "SELECT name FROM blobs JOIN repositories ON id = repository WHERE digest = ? LIMIT ?",
  linkBlob: `INSERT INTO blobs (repository, digest, size, pushed) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET size = excluded.size, pushed = excluded.pushed`,
  unlinkBlob: "DELETE FROM blobs WHERE repository = ? AND digest = ?",
  manifest: `SELECT descriptor, subject, created, platform, pulled, bytes FROM manifests
    LEFT JOIN pulls ON manifest = id WHERE repository = ? AND digest = ?`,
  hasManifest: "SELECT 1 FROM manifests WHERE repository = ? AND digest = ?",
  putManifest: `INSERT INTO manifests
    (repository, digest, descriptor, artifact_type, subject, created, platform, pushed, bytes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET descriptor = excluded.descriptor,
    created = excluded.created, platform = excluded.platform, pushed = excluded.pushed`,
  deleteManifest: "DELETE FROM manifests WHERE repository = ? AND digest = ?",
  referrers: `SELECT descriptor FROM manifests WHERE repository = ? AND subject = ? AND digest > ?
    AND (? IS NULL OR artifact_type IN (SELECT value FROM json_each(?))) ORDER BY digest`,
  inventory: `SELECT descriptor, subject, created, platform, pushed, pulled, bytes FROM manifests
    LEFT JOIN pulls ON manifest = id WHERE repository = ? AND digest >= ? ORDER BY digest`,
  notePull: `INSERT INTO pulls (manifest, pulled) SELECT id, ? FROM manifests WHERE repository = ? AND digest = ?
    ON CONFLICT DO UPDATE SET pulled = excluded.pulled`,
  tag: "SELECT digest FROM tags WHERE repository = ? AND name = ?",
  tags: "SELECT name FROM tags WHERE repository = ? AND name > ? ORDER BY name LIMIT ?",
  // SQLite would take the tags' own order for cheaper, and look through all of them.
  tagsOf: `SELECT name, moved FROM tags INDEXED BY tags_by_digest
    WHERE repository = ? AND digest = ? AND name > ? ORDER BY name LIMIT ?`,
  putTag: `INSERT INTO tags (repository, name, digest, pushed, moved) VALUES (?1, ?2, ?3, ?4, ?4)
    ON CONFLICT DO UPDATE SET digest = excluded.digest, pushed = excluded.pushed,
    moved = iif(digest = excluded.digest, moved, excluded.moved)`,
  deleteTag: "DELETE FROM tags WHERE repository = ? AND name = ?",
  deleteTagsOf: "DELETE FROM tags INDEXED BY tags_by_digest WHERE repository = ? AND digest = ? RETURNING name",
} as const;

export function statements(database: DatabaseSync): Statements {
  const entries = Object.entries(texts).map(([name, text]) => [name, database.prepare(text)] as const);
  return Object.fromEntries(entries) as Record<keyof typeof texts, StatementSync>;
}
