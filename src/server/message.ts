import type { ByteStream } from "../oci/stream.ts";

/** A request as the server reads it: the lean form that both sockets and in-process transports are turned into. */
export interface ServerRequest {
  readonly method: string;
  /** Path and query exactly as they were sent, neither decoded nor normalised. */
  readonly target: string;
  /** Names in lower case; a repeated header is one, joined with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Whether it came over TLS (to this server, not to a proxy before it). */
  readonly secure: boolean;
  /** Opens the body, whose pieces may be kept; this is what answers `Expect: 100-continue`. Asked for once at most. */
  readonly body: () => ByteStream;
  /** The address it came from, where it came over a socket. */
  readonly remote?: string;
  /** Whether pieces of the reply may be overwritten once the next is asked for. */
  readonly transient?: boolean;
}

/** An answer. Bytes go out in one piece; a stream must give as many bytes as its `content-length` says, or throw. */
export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | ByteStream;
}

/** On every answer, for clients that look for it to know a registry. */
export const apiVersion = { "docker-distribution-api-version": "registry/2.0" } as const;

/** The error codes that answers carry: the distribution spec's, and the older ones that clients know. */
export type ReplyCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "PAGINATION_NUMBER_INVALID"
  | "RANGE_INVALID"
  | "SIZE_INVALID"
  | "TAG_INVALID"
  | "TOOMANYREQUESTS"
  | "UNAUTHORIZED"
  | "UNAVAILABLE"
  | "UNKNOWN"
  | "UNSUPPORTED";

/** An answer with a JSON body. */
export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  const body = Buffer.from(JSON.stringify(value));
  const length = String(body.byteLength);
  return {
    status,
    headers: { ...apiVersion, "content-type": "application/json", "content-length": length, ...headers },
    body,
  };
}

/** An answer without a body. */
export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { ...apiVersion, ...(status !== 204 && status !== 304 && { "content-length": "0" }), ...headers },
  };
}

/** An answer that says what went wrong, in the distribution spec's form ("Error Codes"). */
export function faultReply(
  status: number,
  code: ReplyCode,
  message: string,
  { detail, headers }: { readonly detail?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Reply {
  return jsonReply(status, { errors: [{ code, message, ...(detail !== undefined && { detail }) }] }, headers);
}
