import type { ErrorCode } from "../oci/error.ts";

/** What is looked at, in this order. */
export type CheckName =
  | "machine"
  | "files"
  | "name"
  | "proxy"
  | "dns"
  | "tcp"
  | "tls"
  | "api"
  | "service"
  | "clock"
  | "credential"
  | "login"
  | "pull"
  | "push"
  | "limit"
  | "abilities";

export type Verdict = "fine" | "warning" | "fault" | "skipped";

/** What a registry can do beside what all must. */
export type Ability = "referrers" | "catalog" | "ranges" | "paging" | "chunks" | "mount" | "untag";

/** One thing that was looked at, and what was found. */
export interface Diagnosis {
  readonly check: CheckName;
  readonly verdict: Verdict;
  /** The host (`name[:port]`) that it is about; absent where that is this machine. */
  readonly host?: string;
  /** What was found, in a sentence; never a secret. */
  readonly message: string;
  /** Of a fault: its kind, as an error of the same kind would carry it. */
  readonly code?: ErrorCode;
  /** The HTTP status, where there was one. */
  readonly status?: number;
  /** Why that is so, or probably so. */
  readonly cause?: string;
  /** The one command that mends it, or shows more of it. */
  readonly command?: string;
  readonly ability?: Ability;
  /** Whether the registry has the ability; absent where that is not known. */
  readonly supported?: boolean;
}

/** What a check came to: what it tells, and what those that build on it need to know; without that, they are skipped. */
export interface Step<T> {
  readonly told: readonly Diagnosis[];
  readonly known?: T;
  /** The check whose fault makes those that build on it pointless. */
  readonly blockedBy?: CheckName;
}

type More = Omit<Partial<Diagnosis>, "check" | "verdict" | "message">;

export function fine(check: CheckName, message: string, more: More = {}): Diagnosis {
  return { check, verdict: "fine", message, ...more };
}

export function warning(check: CheckName, message: string, more: More = {}): Diagnosis {
  return { check, verdict: "warning", message, ...more };
}

export function fault(check: CheckName, message: string, more: More & { readonly code: ErrorCode }): Diagnosis {
  return { check, verdict: "fault", message, ...more };
}

export function skipped(check: CheckName, message: string, more: More = {}): Diagnosis {
  return { check, verdict: "skipped", message, ...more };
}
