import { fileError } from "../files/file-error.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import { isDigest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { tapped, type ByteStream } from "../oci/stream.ts";
import type { Source } from "../store/store.ts";

/** The error of work that was told to stop. */
export function isAbort(error: unknown): boolean {
  return isRegistryError(error, "ABORTED") || (error instanceof Error && error.name === "AbortError");
}

/** Runs one end's part of a copy: what it throws says which end failed, unless that is said already. */
export async function sided<T>(side: "source" | "destination", work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw onSide(error, side);
  }
}

/** A source's stream, whose errors say that it was the source that failed. */
export function sidedStream(stream: ByteStream): ByteStream {
  return tapped(stream, { failure: (error) => onSide(error, "source") });
}

/** A manifest that has to be there. Throws MANIFEST_UNKNOWN, on the source's side. */
export function manifestAt(from: Source, ref: string, signal?: AbortSignal): Promise<Manifest> {
  return sided("source", async () => {
    const manifest = await from.manifest(ref, { signal });
    if (!manifest) throw new RegistryError("MANIFEST_UNKNOWN", `${nameOf(from, ref)} is not there`);
    return manifest;
  });
}

/** How people write a tag or digest of a store. */
export function nameOf(store: Pick<Source, "name">, ref: string): string {
  return `${store.name}${isDigest(ref) ? "@" : ":"}${ref}`;
}

/** Whatever a store threw as a RegistryError: one of a file is told as the stores here tell it. */
export function asRegistryError(error: unknown): RegistryError {
  const told = fileError(error);
  if (isRegistryError(told)) return told;
  const { message } = error instanceof Error ? error : new Error(String(error));
  return new RegistryError(isAbort(error) ? "ABORTED" : "UNKNOWN", message, { cause: error });
}

function onSide(error: unknown, side: "source" | "destination"): unknown {
  if (isAbort(error)) return error;
  const told = asRegistryError(error);
  return told.side ? told : told.with({ side });
}
