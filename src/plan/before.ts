import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Call, Source } from "../store/store.ts";

/** What a step found before it acted: all that is needed to take it back. */
export interface Before {
  /** What the tag named; null where there was none. */
  readonly tag?: Digest | null;
  /** The manifest that goes, or that the tag named, where nothing else may keep it. */
  readonly manifest?: SavedManifest;
  /** Of a manifest that goes: its tags. Of one that comes back: those that it got again. */
  readonly tags?: readonly string[];
  /** Whether the manifest that was put was there already. */
  readonly existed?: boolean;
  readonly immutability?: TagRules;
}

/** A manifest that can be put again. */
export interface SavedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Its bytes, in base64. */
  readonly bytes: string;
}

/** Which tags of a repository cannot be moved. */
export interface TagRules {
  readonly tags: "mutable" | "immutable";
  readonly except?: readonly string[];
  readonly patterns?: "wildcard" | "doublestar" | "regex";
}

function saved({ descriptor, bytes }: Manifest): SavedManifest {
  const { digest, mediaType } = descriptor;
  return { digest, mediaType, bytes: Buffer.from(bytes).toString("base64") };
}

/** Reads a manifest that a step may leave without a tag; nothing where it is gone already. */
export async function keep(
  store: Source,
  digest: Digest | null,
  call: Call,
): Promise<{ readonly manifest?: SavedManifest }> {
  const manifest = digest === null ? undefined : await store.manifest(digest, call);
  return manifest ? { manifest: saved(manifest) } : {};
}
