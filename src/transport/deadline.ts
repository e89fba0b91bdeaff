/** A deadline that is moved from phase to phase of an exchange. */
export interface Deadline {
  /** Starts anew: `expire` is called unless it is set again or stopped within `ms`; 0 sets none. */
  set(ms: number, expire: () => void): void;
  stop(): void;
}

/** Node's timers take no more, in milliseconds: 24 days. */
const longest = 2 ** 31 - 1;

export function deadline(): Deadline {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    set(ms, expire) {
      stop();
      timer = ms > 0 ? setTimeout(expire, Math.min(ms, longest)) : undefined;
    },
    stop,
  };
}
