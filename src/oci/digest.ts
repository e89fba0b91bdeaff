import { createHash, hash, type Hash } from "node:crypto";
import { RegistryError } from "./error.ts";

/** A content digest, algorithm and lower-case hex, of the two algorithms that image-spec registers ("Digests"). */
export type Digest = `sha256:${string}` | `sha512:${string}`;
export type DigestAlgorithm = "sha256" | "sha512";

const hexLength: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };
const form = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether a text is a digest in canonical form. */
export function isDigest(text: string): text is Digest {
  return form.test(text);
}

/** Reads a digest; throws DIGEST_INVALID with what is wrong where. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const shown = JSON.stringify(text.length > 150 ? `${text.slice(0, 150)}...` : text);
  const { what, position } = digestFault(text);
  throw new RegistryError("DIGEST_INVALID", `invalid digest ${shown}: ${what}, at position ${position + 1}`, {
    hint: digestHint,
  });
}

/** What a digest looks like, for a person. */
export const digestHint: string = "a digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal characters";

/** What keeps a text from being a digest, and where (counted from 0). */
export function digestFault(text: string): { readonly what: string; readonly position: number } {
  const second = text.indexOf("@");
  if (second >= 0) return { what: "a second digest, where one is all there can be", position: second };
  const colon = text.indexOf(":");
  if (colon < 0) return { what: "a digest without an algorithm", position: 0 };
  const algorithm = text.slice(0, colon);
  if (!Object.hasOwn(hexLength, algorithm)) {
    return { what: `unknown digest algorithm ${JSON.stringify(algorithm.slice(0, 40))}`, position: 0 };
  }
  const hex = text.slice(colon + 1);
  const stray = hex.search(/[^0-9a-f]/);
  const position = colon + 1 + Math.max(0, stray);
  if (stray >= 0) return { what: `${JSON.stringify(hex[stray])} is not a lower-case hexadecimal character`, position };
  const length = hexLength[algorithm as DigestAlgorithm];
  return { what: `the digest has ${hex.length} hexadecimal characters instead of ${length}`, position };
}

/** The algorithm that a digest names. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** The hexadecimal part of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice(7);
}

/** The digest of bytes in memory. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${hash(algorithm, bytes)}`;
}

/** Takes a digest over bytes that come in pieces. */
export interface Digester {
  readonly size: number;
  update(bytes: Uint8Array): void;
  /** The digest of everything so far; the digester is spent after it. */
  digest(): Digest;
}

export function digester(algorithm: DigestAlgorithm = "sha256"): Digester {
  const state: Hash = createHash(algorithm);
  const taken = {
    size: 0,
    update(bytes: Uint8Array): void {
      taken.size += bytes.byteLength;
      state.update(bytes);
    },
    digest: (): Digest => `${algorithm}:${state.digest("hex")}`,
  };
  return taken;
}
