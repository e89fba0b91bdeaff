import type { Reply, ServerRequest } from "./message.ts";

/** What a request wants to do: `catalog` is the list of all repositories, and has none. */
export type Verb = "pull" | "push" | "delete" | "catalog";

export interface Action {
  /** The repository it is about; absent for the catalog and for the ping of `/v2/`. */
  readonly repository?: string;
  /** None for the ping, which asks only whether the caller is known. */
  readonly verbs: readonly Verb[];
  /**
   * The repository a blob is to be mounted from: for the challenge alone, so that one token covers both. Whether the
   * caller may pull from it is asked by a second call, whose refusal turns the mount into an upload.
   */
  readonly mountFrom?: string;
}

export type Verdict =
  | {
      readonly allow: true;
      /** Who it is; upload sessions are bound to it. Absent for the anonymous. */
      readonly user?: string;
      /** Which repositories the catalog may name to them; all, where absent. */
      readonly sees?: (repository: string) => boolean;
    }
  | {
      readonly allow: false;
      /** 401 with a challenge, or 403. */
      readonly reply: Reply;
    };

/** Decides who may do what. It is asked once for every request, before the body is read. */
export interface Access {
  /** Answers at once where it can (no promise): this is on the way of every request. */
  authorize(request: ServerRequest, action: Action): Verdict | Promise<Verdict>;
  /** Answers paths that are not the registry's own, such as the token endpoint; undefined leaves them a 404. */
  route?(request: ServerRequest): Reply | undefined | Promise<Reply | undefined>;
  /** Reads what it decides by, so that a mistake there shows when a server starts, not at its first request. */
  prepare?(): Promise<void>;
  /** Whether it lets anybody do anything: such a registry does not listen beyond loopback unless told to. */
  readonly open: boolean;
}

const allowed: Verdict = { allow: true };

/** Lets anybody do anything. */
export const openAccess: Access = { open: true, authorize: () => allowed };
