const minute = 60_000;
const minutes = [30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1];
const hours = [24, 12, 8, 6, 4, 3, 2, 1];

/** A duration of Go (`1h30m`) in milliseconds; undefined where it is none. */
export function goDuration(text: string): number | undefined {
  const units: Readonly<Record<string, number>> = {
    h: 60 * minute,
    m: minute,
    s: 1000,
    ms: 1,
    us: 0.001,
    ns: 0.000001,
  };
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|us|ns|m|s))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * units[unit!]!,
    0,
  );
}

/** Cron for an interval: the same, or the next shorter one that fits into hours and days evenly, of a minute at least. */
export function cronOfInterval(ms: number): { readonly schedule: string; readonly exact: boolean } {
  const wanted = ms / minute;
  const exact = (found: number): boolean => found === wanted;
  if (wanted === 7 * 24 * 60) return { schedule: "0 0 * * 0", exact: true };
  const hour = hours.find((one) => one * 60 <= wanted);
  if (hour !== undefined) {
    const schedule = hour === 24 ? "0 0 * * *" : hour === 1 ? "0 * * * *" : `0 */${hour} * * *`;
    return { schedule, exact: exact(hour * 60) };
  }
  const each = minutes.find((one) => one <= wanted) ?? 1;
  return { schedule: each === 1 ? "* * * * *" : `*/${each} * * * *`, exact: exact(each) };
}
