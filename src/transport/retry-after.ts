/**
 * The milliseconds that a Retry-After header asks for, in seconds or as a date (RFC 9110, 10.2.3); a date is taken
 * against the answer's own Date, where there is one, so that clocks need not agree. Nothing where it says nothing.
 */
export function retryAfter(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const text = headers["retry-after"]?.trim();
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const date = parseDate(text);
  if (date === undefined) return undefined;
  return Math.max(0, date - (parseDate(headers["date"]) ?? now));
}

function parseDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
