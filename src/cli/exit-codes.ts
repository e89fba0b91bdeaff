import type { ErrorCode } from "../index.ts";

/** What a process's end says to scripts: a promise of the command line, documented in docs/cli. */
export const exitCodes = {
  done: { code: 0, means: "done" },
  failed: { code: 1, means: "failed" },
  usage: { code: 2, means: "wrong usage or configuration; nothing was done" },
  notFound: { code: 3, means: "what was asked for is not there" },
  denied: { code: 4, means: "authentication failed, or permission is missing" },
  refused: { code: 5, means: "refused by a policy, or not what its digest promises" },
  partly: { code: 6, means: "partly done: some of many failed" },
  changes: { code: 7, means: "nothing was done, and there are changes to make (--detailed-exitcode)" },
  interrupted: { code: 130, means: "interrupted" },
} as const;

export type ExitName = keyof typeof exitCodes;

const endings: Readonly<Partial<Record<ErrorCode, ExitName>>> = {
  INVALID: "usage",
  NAME_INVALID: "usage",
  BLOB_UNKNOWN: "notFound",
  MANIFEST_UNKNOWN: "notFound",
  NAME_UNKNOWN: "notFound",
  UNAUTHORIZED: "denied",
  DENIED: "denied",
  REFUSED: "refused",
  UNVERIFIED: "refused",
  PARTIAL: "partly",
  ABORTED: "interrupted",
};

/** How a command that failed with this code ends. */
export function exitOf(code: ErrorCode): ExitName {
  return endings[code] ?? "failed";
}
