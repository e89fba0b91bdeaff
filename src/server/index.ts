export { openAccess, type Access, type Action, type Verb, type Verdict } from "./access.ts";
export { htpasswdAccess, type HtpasswdAccessOptions } from "./access/htpasswd-access.ts";
export type { Grants, RepositoryVerb } from "./access/policy.ts";
export type { ServerEvent } from "./events.ts";
export type { Listening, ListenOptions } from "./listen.ts";
export type { Reply, ReplyCode, ServerRequest } from "./message.ts";
export { createRegistry, type EmbeddedRegistry, type RegistryOptions } from "./registry.ts";
export { diskStorage } from "./storage/disk.ts";
export { memoryStorage } from "./storage/memory.ts";
export type {
  BlobStorage,
  InventoryPage,
  InventoryPart,
  InventoryPlace,
  ManifestRecord,
  Metadata,
  OpenStorage,
  Page,
  ReadOptions,
  Referrers,
  ReferrersPage,
  Soon,
  Storage,
  StorageOptions,
  StoredManifest,
  TagRecord,
  UploadFile,
} from "./storage/storage.ts";
