/** What a host told last of how many requests or pulls it still allows. */
export interface Quota {
  /** How many there are in all. */
  readonly limit?: number;
  readonly remaining: number;
  /** For how long the limit holds, in seconds. */
  readonly windowSeconds?: number;
  /** In how many seconds it starts anew, as told with `remaining`. */
  readonly resetSeconds?: number;
  /** Whom it counts: an address, or an account. */
  readonly source?: string;
}

type Headers = Readonly<Record<string, string>>;

/**
 * Reads the headers in which registries tell their limits: `ratelimit-limit: 100;w=21600` and its kin, `RateLimit` with
 * its policy (draft-ietf-httpapi-ratelimit-headers, old and new) and `x-ratelimit-*`. Nothing where they say nothing
 * that can be understood; `now` is for hosts that tell the moment of the reset, in milliseconds since 1970.
 */
export function parseQuota(headers: Headers, now: number): Quota | undefined {
  const structured = headers["ratelimit"];
  const told =
    structured === undefined
      ? (separate(headers, "ratelimit") ?? separate(headers, "x-ratelimit"))
      : together(structured, headers["ratelimit-policy"]);
  if (told?.remaining === undefined) return undefined;
  const { limit, remaining, windowSeconds, reset } = told;
  const resetSeconds = reset === undefined ? undefined : secondsUntil(reset, now);
  const source = headers["docker-ratelimit-source"]?.replace(/[^\x21-\x7e]/g, "").slice(0, 100);
  return {
    remaining,
    ...(limit !== undefined && { limit }),
    ...(windowSeconds !== undefined && { windowSeconds }),
    ...(resetSeconds !== undefined && { resetSeconds }),
    ...(source && { source }),
  };
}

interface Told {
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
  readonly windowSeconds?: number | undefined;
  readonly reset?: number | undefined;
}

/** One header for each number; of several policies the first counts. */
function separate(headers: Headers, prefix: string): Told | undefined {
  const remaining = headers[`${prefix}-remaining`];
  if (remaining === undefined) return undefined;
  const limit = headers[`${prefix}-limit`] ?? "";
  return {
    limit: leading(limit),
    remaining: leading(remaining),
    windowSeconds: parameter(limit, "w") ?? parameter(remaining, "w"),
    reset: leading(headers[`${prefix}-reset`] ?? ""),
  };
}

/** All in one header: `limit=100, remaining=7, reset=30`, or `"policy";r=7;t=30` with the rest in the policy's own. */
function together(text: string, policy = ""): Told {
  return {
    limit: parameter(text, "limit") ?? parameter(policy, "q") ?? leading(policy),
    remaining: parameter(text, "remaining") ?? parameter(text, "r"),
    windowSeconds: parameter(policy, "w"),
    reset: parameter(text, "reset") ?? parameter(text, "t"),
  };
}

function leading(text: string): number | undefined {
  return numberIn(/^\s*(\d{1,15})\s*(?:[;,]|$)/.exec(text));
}

function parameter(text: string, name: string): number | undefined {
  return numberIn(new RegExp(`(?:^|[;,])\\s*${name}\\s*=\\s*"?(\\d{1,15})\\b`, "i").exec(text));
}

function numberIn(match: RegExpExecArray | null): number | undefined {
  return match ? Number(match[1]) : undefined;
}

/** Some hosts tell a moment, in seconds or milliseconds since 1970, instead of a time. */
function secondsUntil(reset: number, now: number): number {
  if (reset < 1e9) return reset;
  return Math.max(0, Math.ceil((reset < 1e12 ? reset : reset / 1000) - now / 1000));
}
