import { RegistryError } from "../../oci/error.ts";

const sqliteFull = 13;

/** The error to throw for one of the file system or of SQLite: a full disk is an answer (507), anything else stays as it is. */
export function storageFault(cause: unknown): unknown {
  const { code, errcode } = (cause ?? {}) as { readonly code?: unknown; readonly errcode?: unknown };
  const full =
    code === "ENOSPC" || code === "EDQUOT" || (typeof errcode === "number" && (errcode & 0xff) === sqliteFull);
  if (!full) return cause;
  return new RegistryError("UNAVAILABLE", "the registry's storage is full", {
    status: 507,
    hint: "free space where the registry keeps its data, then push again",
    cause,
  });
}

/** The error for an upload whose bytes are not all there any more, swept away or spoilt by a crash: it starts again. */
export function lostUpload(): RegistryError {
  return new RegistryError("BLOB_UPLOAD_UNKNOWN", "what came of this upload has been lost", {
    hint: "start the upload again",
  });
}
