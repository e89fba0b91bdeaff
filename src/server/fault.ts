import { isRegistryError, type ErrorCode } from "../oci/error.ts";
import { faultReply, type Reply, type ReplyCode } from "./message.ts";

const answers: Readonly<Partial<Record<ErrorCode, readonly [number, ReplyCode]>>> = {
  ABORTED: [400, "BLOB_UPLOAD_INVALID"],
  BLOB_UNKNOWN: [404, "BLOB_UNKNOWN"],
  BLOB_UPLOAD_INVALID: [400, "BLOB_UPLOAD_INVALID"],
  BLOB_UPLOAD_UNKNOWN: [404, "BLOB_UPLOAD_UNKNOWN"],
  DENIED: [403, "DENIED"],
  DIGEST_INVALID: [400, "DIGEST_INVALID"],
  INVALID: [400, "PAGINATION_NUMBER_INVALID"],
  MANIFEST_BLOB_UNKNOWN: [400, "MANIFEST_BLOB_UNKNOWN"],
  MANIFEST_INVALID: [400, "MANIFEST_INVALID"],
  MANIFEST_UNKNOWN: [404, "MANIFEST_UNKNOWN"],
  NAME_INVALID: [400, "NAME_INVALID"],
  NAME_UNKNOWN: [404, "NAME_UNKNOWN"],
  NETWORK: [400, "BLOB_UPLOAD_INVALID"],
  SIZE_INVALID: [400, "SIZE_INVALID"],
  TOO_LARGE: [413, "SIZE_INVALID"],
  TOOMANYREQUESTS: [429, "TOOMANYREQUESTS"],
  UNAUTHORIZED: [401, "UNAUTHORIZED"],
  UNAVAILABLE: [503, "UNAVAILABLE"],
  UNSUPPORTED: [405, "UNSUPPORTED"],
  UNVERIFIED: [400, "DIGEST_INVALID"],
};

/** The answer to a request that threw: what a RegistryError says, or 500 without a word of the inside. */
export function replyOf(error: unknown): Reply {
  if (!isRegistryError(error)) return faultReply(500, "UNKNOWN", "the registry failed; its log says how");
  const [status, code] = answers[error.code] ?? [500, "UNKNOWN"];
  return faultReply(
    error.status ?? status,
    code,
    error.message,
    error.hint === undefined ? {} : { detail: error.hint },
  );
}
