import type { Access } from "./access.ts";
import type { ServerEvent } from "./events.ts";
import type { Reply, ServerRequest } from "./message.ts";
import type { Route } from "./route.ts";
import type { BlobStorage, Metadata, Soon } from "./storage/storage.ts";
import type { Uploads } from "./uploads.ts";

/** What the endpoints work on. */
export interface Context {
  readonly access: Access;
  readonly blobs: BlobStorage;
  readonly metadata: Metadata;
  readonly uploads: Uploads;
  readonly readOnly: boolean;
  /** Whether it has what is Gantry's own beyond the distribution API, and so takes note of pulls. */
  readonly extension: boolean;
  /** Whether a manifest may name content that is not there. */
  readonly sparse: boolean;
  /** The most bytes a manifest may have. */
  readonly manifestLimit: number;
  readonly emit: ((event: ServerEvent) => void) | undefined;
}

/** A request whose route is known and allowed. */
export interface Exchange {
  readonly request: ServerRequest;
  readonly route: Route;
  readonly user?: string;
  readonly sees?: (repository: string) => boolean;
}

export type Endpoint = (exchange: Exchange, context: Context) => Soon<Reply>;
