import { isRegistryError } from "../oci/error.ts";
import { isLoopback } from "../oci/reference.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { OnEvent } from "./events.ts";
import { isRefused } from "./network-error.ts";
import { redactUrl } from "./redact.ts";
import { retryAfter } from "./retry-after.ts";
import type { Spoken } from "./scheme.ts";
import { discard, type Middleware, type Req, type Res } from "./transport.ts";

export interface RetrySettings {
  /** How often a request is sent at most; 6, and 4 where this machine refuses the connection: what starts is there soon, or never. */
  readonly attempts?: number;
  /** The first delay, in milliseconds: exactly this, and later ones no shorter; at random unless given. */
  readonly delay?: number;
  /** The first delay's upper bound, doubled with each attempt up to `cap`, in milliseconds; 250 and 30 s. */
  readonly base?: number;
  readonly cap?: number;
  /** The longest Retry-After that is waited for, in milliseconds; a longer one makes the answer final. 5 minutes. */
  readonly patience?: number;
  readonly clock?: Clock;
  readonly onEvent?: OnEvent;
  /** The schemes that `scheme` found out, for what is told of a request. */
  readonly spoken?: Spoken;
}

/** 499 and 52x are what nginx and CDNs say of a registry behind them that broke off, or did not answer. */
const passing: readonly number[] = [408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524];

/** Whether an answer of this status may be another one later. */
export function isPassing(status: number): boolean {
  return passing.includes(status);
}

/**
 * Sends a request again after an answer or error that may pass: after what Retry-After asks for, else after a random
 * part of a doubling delay ("full jitter"), or all of it where this machine refused the connection. Requests marked `once`
 * or `brief`, refusals and errors that will not pass go through.
 */
export function retry(settings: RetrySettings = {}): Middleware {
  const { clock = systemClock, onEvent, spoken } = settings;
  return (next) => async (request) => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await settle(next(request));
      const isRefusedHere = isRefused(outcome.error) && isLoopback(request.url.host);
      const attempts = settings.attempts ?? (isRefusedHere ? 4 : 6);
      // Many who share a registry are spread over time; who starts one beside is given all of it.
      const share = isRefusedHere ? 1 : clock.random();
      const last = request.once === true || request.brief === true || attempt >= attempts;
      const delay = last ? undefined : delayAfter(outcome, attempt, share, settings, clock);
      if (delay === undefined) return unwrap(outcome);
      if (outcome.response) await discard(outcome.response);
      onEvent?.({ type: "wait", ...describe(request, spoken), ms: delay, attempt, attempts, ...reasonOf(outcome) });
      await clock.sleep(delay, request.signal);
    }
  };
}

type Outcome =
  | { readonly response: Res; readonly error?: never }
  | { readonly error: unknown; readonly response?: never };

function settle(promise: Promise<Res>): Promise<Outcome> {
  return promise.then(
    (response) => ({ response }),
    (error: unknown) => ({ error }),
  );
}

function unwrap(outcome: Outcome): Res {
  if (outcome.response) return outcome.response;
  throw outcome.error;
}

/** How long to wait before the next attempt; nothing where there should be none. */
function delayAfter(
  { response, error }: Outcome,
  attempt: number,
  share: number,
  settings: RetrySettings,
  clock: Clock,
): number | undefined {
  const asked = response ? retryAfter(response.headers, clock.now()) : isRegistryError(error) && error.retryAfter;
  if (response ? !isPassing(response.status) : !isRegistryError(error) || !error.retryable) return undefined;
  const { delay: least = 0, base = 250, cap = 30_000, patience = 300_000 } = settings;
  if (typeof asked === "number") return asked <= patience ? asked : undefined;
  const most = Math.max(least, Math.min(cap, (least || base) * 2 ** (attempt - 1)));
  return Math.round(least + share * (most - least));
}

function describe({ method, url }: Req, spoken?: Spoken): { method: Req["method"]; url: string; host: string } {
  const scheme = spoken?.get(url.host) ?? url.protocol;
  return { method, url: redactUrl(url).replace(url.protocol, scheme), host: url.host };
}

function reasonOf({ response, error }: Outcome): object {
  if (response) return { status: response.status };
  return isRegistryError(error) ? { error: error.code, message: error.message } : {};
}
