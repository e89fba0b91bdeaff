import type { ErrorCode } from "../oci/error.ts";
import type { Quota } from "./rate-limit.ts";
import type { Method } from "./transport.ts";

/** What happens on the wire, told as it happens; URLs carry no secrets. */
export type TransportEvent =
  | {
      /** A request is over: its response's body was read, given up or broke. */
      readonly type: "request";
      readonly method: Method;
      readonly url: string;
      readonly host: string;
      /** Absent where no answer came; `error` says why. */
      readonly status?: number;
      readonly error?: ErrorCode;
      /** Milliseconds until the answer's head, and until the end of its body. */
      readonly answerMs: number;
      readonly ms: number;
      /** Bytes of the bodies. */
      readonly sent: number;
      readonly received: number;
    }
  | {
      /** A request failed and will be sent again after `ms`. */
      readonly type: "wait";
      readonly method: Method;
      readonly url: string;
      readonly host: string;
      readonly ms: number;
      /** The attempt that failed, from 1, and how many are made at most. */
      readonly attempt: number;
      readonly attempts: number;
      readonly status?: number;
      /** Absent where an answer came, as is what happened, for people. */
      readonly error?: ErrorCode;
      readonly message?: string;
    }
  | {
      /** How many requests may be under way at a host in one direction has shrunk; none for `closedMs`. */
      readonly type: "throttle";
      readonly host: string;
      readonly direction: "pull" | "push";
      readonly slots: number;
      readonly closedMs: number;
    }
  | ({
      /** What a host allows has changed: how many requests or pulls are left, of how many. */
      readonly type: "quota";
      readonly host: string;
    } & Quota)
  | {
      /** A mirror of `host` failed, and is left alone for `ms`. */
      readonly type: "mirror";
      readonly host: string;
      readonly mirror: string;
      readonly ms: number;
      readonly status?: number;
      readonly error?: ErrorCode;
    }
  | {
      /** What a registry wants its users to read (distribution-spec, "Warnings"). */
      readonly type: "warning";
      readonly host: string;
      readonly text: string;
    };

export type OnEvent = (event: TransportEvent) => void;
