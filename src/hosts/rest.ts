/** Which mirrors are left alone for a while. */
export interface Rest {
  isResting(mirror: string): boolean;
  /** Leaves a mirror alone for a minute, or for as long as it `asked`; gives the milliseconds, or nothing where it rests already. */
  leave(mirror: string, asked?: number): number | undefined;
  /** Milliseconds since 1970. */
  now(): number;
}

const minute = 60_000;
const longest = 15 * minute;

export function rest(now: () => number): Rest {
  const until = new Map<string, number>();
  const isResting = (mirror: string): boolean => (until.get(mirror) ?? 0) > now();
  return {
    now,
    isResting,
    leave(mirror, asked = 0) {
      if (isResting(mirror)) return undefined;
      const ms = Math.min(longest, Math.max(minute, asked));
      until.set(mirror, now() + ms);
      return ms;
    },
  };
}
