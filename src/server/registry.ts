import { manifestLimit } from "../oci/manifest.ts";
import type { Transport } from "../transport/transport.ts";
import { openAccess, type Access } from "./access.ts";
import type { ServerEvent } from "./events.ts";
import { handler } from "./handle.ts";
import { inProcess } from "./in-process.ts";
import { listen, refuseOpen, type Listening, type ListenOptions } from "./listen.ts";
import type { Reply, ServerRequest } from "./message.ts";
import type { OpenStorage, Storage } from "./storage/storage.ts";
import { uploadSessions } from "./uploads.ts";

export interface RegistryOptions {
  readonly storage: Storage;
  /** Who may do what; anybody anything, where absent. */
  readonly access?: Access;
  /** Refuses everything that writes. */
  readonly readOnly?: boolean;
  /** Accepts manifests whose layers, or whose manifests of other platforms, are not all there. */
  readonly sparse?: boolean;
  /** Whether it lists the manifests of a repository with their times, and so takes note of pulls (docs/guide/inventory.md); true. */
  readonly extension?: boolean;
  readonly limits?: {
    /** The most bytes a manifest may have; 4 MiB where absent, the least that the distribution spec allows. */
    readonly manifest?: number;
  };
  /** Is told what happens, while it happens: it must be quick and must not throw. */
  readonly onEvent?: (event: ServerEvent) => void;
}

/** A registry that serves the distribution API out of its storage. */
export interface EmbeddedRegistry {
  /** The API without a socket. */
  readonly transport: Transport;
  /** Serves the API on a port. Throws INVALID where that would open it to everybody, CONFLICT where the port or the storage is taken. */
  listen(options?: ListenOptions): Promise<Listening>;
  /** Ends what listens, lets running requests end, and closes the storage, which a later request would open anew. */
  close(): Promise<void>;
}

type Handle = (request: ServerRequest) => Promise<Reply>;

/** Makes a registry; its storage is opened by the first request, or by `listen`. */
export function createRegistry(options: RegistryOptions): EmbeddedRegistry {
  const { storage, access = openAccess } = options;
  const listenings: Listening[] = [];
  let opened: OpenStorage | undefined;
  let opening: Promise<Handle> | undefined;
  let handle: Handle | undefined;

  async function start(): Promise<Handle> {
    await access.prepare?.();
    opened = await storage.open();
    handle = handler({
      access,
      blobs: opened.blobs,
      metadata: opened.metadata,
      uploads: uploadSessions(opened.blobs),
      readOnly: options.readOnly ?? false,
      sparse: options.sparse ?? false,
      extension: options.extension ?? true,
      manifestLimit: options.limits?.manifest ?? manifestLimit,
      emit: options.onEvent,
    });
    return handle;
  }

  /** Opens the storage once; what failed is tried again by the next who asks. */
  function open(): Promise<Handle> {
    opening ??= start().finally(() => (opening = undefined));
    return opening;
  }

  const answer = async (request: ServerRequest): Promise<Reply> => (handle ?? (await open()))(request);

  return {
    transport: inProcess(answer),
    async listen(at = {}) {
      refuseOpen(access.open, at);
      if (!handle) await open();
      const listening = await listen(answer, at);
      listenings.push(listening);
      return listening;
    },
    async close() {
      await Promise.all(listenings.splice(0).map((listening) => listening.close()));
      await opening?.catch(() => {});
      const last = opened;
      [opened, handle] = [undefined, undefined];
      await last?.close();
    },
  };
}
