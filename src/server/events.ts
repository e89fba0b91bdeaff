import type { Digest } from "../oci/digest.ts";

/** What happens in a registry, for logs, metrics and webhooks. Texts that came from a client are as they came. */
export type ServerEvent =
  | {
      readonly type: "request";
      readonly method: string;
      readonly target: string;
      readonly status: number;
      /** Until the answer was ready to be sent. */
      readonly milliseconds: number;
      readonly user?: string;
      readonly remote?: string;
    }
  | (Change & { readonly type: "blob-pushed" | "blob-mounted"; readonly digest: Digest; readonly size: number })
  | (Change & { readonly type: "blob-deleted" | "manifest-deleted"; readonly digest: Digest })
  | (Change & {
      readonly type: "manifest-pushed";
      readonly digest: Digest;
      readonly mediaType: string;
      readonly size: number;
      readonly tags: readonly string[];
      readonly subject?: Digest;
    })
  | (Change & { readonly type: "tag-deleted"; readonly tag: string })
  /** The stored bytes of a blob are gone or of another size; pushing it again heals it. */
  | { readonly type: "damaged"; readonly repository: string; readonly digest: Digest }
  /** A request was answered 5xx. */
  | { readonly type: "failed"; readonly method: string; readonly target: string; readonly error: unknown };

interface Change {
  readonly repository: string;
  readonly user?: string;
}
