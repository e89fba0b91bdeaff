export type { ArchiveOptions } from "./archive/archive-store.ts";
export { ociArchiveStore } from "./archive/oci-archive.ts";
export { layoutStore, type LayoutOptions } from "./layout.ts";
export { soleReference, type LocalStore } from "./local-store.ts";
export { memoryStore } from "./memory.ts";
export { remoteRegistry, remoteStore } from "./remote/remote-store.ts";
export type { RemoteOptions } from "./remote/remote.ts";
export type { Call, Put, Registry, Source, Store } from "./store.ts";
