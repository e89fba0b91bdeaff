import { RegistryError } from "../../oci/error.ts";

/** A moment as a time zone's clocks and calendars have it. */
interface Local {
  readonly year: number;
  /** From 1 on. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Minutes east of UTC. */
  readonly offset: number;
  readonly zone: string;
  readonly ms: number;
}

const months = "January February March April May June July August September October November December".split(" ");
const days = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
const long: Readonly<Record<string, string>> = {
  LTS: "h:mm:ss A",
  LT: "h:mm A",
  LLLL: "dddd, MMMM D, YYYY h:mm A",
  LLL: "MMMM D, YYYY h:mm A",
  LL: "MMMM D, YYYY",
  L: "MM/DD/YYYY",
};
const tokens =
  /\[[^[\]]*\]|\\.|LTS|LT|LLLL|LLL|LL|L|Mo|MMMM|MMM|MM|M|Do|DDDo|DDDD|DDD|DD|D|dddd|ddd|dd|do|d|wo|ww|w|Wo|WW|W|Qo|Q|YYYY|YY|Y|gggg|gg|GGGG|GG|e|E|a|A|hh|h|HH|H|kk|k|mm|m|ss|s|S{1,9}|x|X|zz|z|ZZ|Z|./gs;

const pad = (value: number, length = 2): string => String(value).padStart(length, "0");
const twelve = (hour: number): number => hour % 12 || 12;

const dayNumber = (year: number, month: number, day: number): number => {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 86_400_000;
};
const weekday = ({ year, month, day }: Local): number => (((dayNumber(year, month, day) + 4) % 7) + 7) % 7;

/**
 * Writes a time as moment.js does (https://momentjs.com/docs/#/displaying/format/), in English: `YYYYMMDD-HHmmss`. `zone` is one
 * of IANA's names. Throws INVALID for a zone that nobody knows.
 */
export function formatMoment(time: number, format: string, zone = "UTC"): string {
  const local = localTime(time, zone);
  const write = (text: string): string => text.replace(tokens, (token) => writeToken(token, local, write, time));
  return write(format);
}

function writeToken(token: string, local: Local, write: (text: string) => string, time: number): string {
  if (token.length > 1 && token.startsWith("[")) return token.slice(1, -1);
  if (token.length > 1 && token.startsWith("\\")) return token.slice(1);
  if (Object.hasOwn(long, token)) return write(long[token]!);
  if (/^S+$/.test(token)) return pad(local.ms, 3).padEnd(9, "0").slice(0, token.length);
  const writer = Object.hasOwn(writers, token) ? writers[token]! : undefined;
  return writer ? String(writer(local, time)) : token;
}

const writers: Readonly<Record<string, (local: Local, time: number) => string | number>> = {
  YYYY: ({ year }) => pad(year, 4),
  YY: ({ year }) => pad(year % 100),
  Y: ({ year }) => year,
  MMMM: ({ month }) => months[month - 1]!,
  MMM: ({ month }) => months[month - 1]!.slice(0, 3),
  MM: ({ month }) => pad(month),
  M: ({ month }) => month,
  Mo: ({ month }) => ordinal(month),
  Q: ({ month }) => Math.ceil(month / 3),
  Qo: ({ month }) => ordinal(Math.ceil(month / 3)),
  DD: ({ day }) => pad(day),
  D: ({ day }) => day,
  Do: ({ day }) => ordinal(day),
  DDDD: (local) => pad(dayOfYear(local), 3),
  DDD: dayOfYear,
  DDDo: (local) => ordinal(dayOfYear(local)),
  dddd: (local) => days[weekday(local)]!,
  ddd: (local) => days[weekday(local)]!.slice(0, 3),
  dd: (local) => days[weekday(local)]!.slice(0, 2),
  d: weekday,
  do: (local) => ordinal(weekday(local)),
  e: weekday,
  E: (local) => weekday(local) || 7,
  WW: (local) => pad(week(local, 1, 4)[1]),
  W: (local) => week(local, 1, 4)[1],
  Wo: (local) => ordinal(week(local, 1, 4)[1]),
  GGGG: (local) => pad(week(local, 1, 4)[0], 4),
  GG: (local) => pad(week(local, 1, 4)[0] % 100),
  ww: (local) => pad(week(local, 0, 6)[1]),
  w: (local) => week(local, 0, 6)[1],
  wo: (local) => ordinal(week(local, 0, 6)[1]),
  gggg: (local) => pad(week(local, 0, 6)[0], 4),
  gg: (local) => pad(week(local, 0, 6)[0] % 100),
  HH: ({ hour }) => pad(hour),
  H: ({ hour }) => hour,
  hh: ({ hour }) => pad(twelve(hour)),
  h: ({ hour }) => twelve(hour),
  kk: ({ hour }) => pad(hour || 24),
  k: ({ hour }) => hour || 24,
  mm: ({ minute }) => pad(minute),
  m: ({ minute }) => minute,
  ss: ({ second }) => pad(second),
  s: ({ second }) => second,
  a: ({ hour }) => (hour < 12 ? "am" : "pm"),
  A: ({ hour }) => (hour < 12 ? "AM" : "PM"),
  Z: ({ offset }) => formatOffset(offset, ":"),
  ZZ: ({ offset }) => formatOffset(offset, ""),
  z: ({ zone }) => zone,
  zz: ({ zone }) => zone,
  X: (_, time) => Math.floor(time / 1000),
  x: (_, time) => time,
};

function ordinal(value: number): string {
  const tens = value % 100;
  const ending = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${ending}`;
}

function dayOfYear({ year, month, day }: Local): number {
  return dayNumber(year, month, day) - dayNumber(year, 1, 1) + 1;
}

/** The year and number of a week that begins with day `first` (0 is Sunday), and of which the first has January's day `has`. */
function week({ year, month, day }: Local, first: number, has: number): readonly [year: number, week: number] {
  const start = (of: number): number => {
    const inFirst = dayNumber(of, 1, first === 1 ? has : 7 - has);
    const at = (((inFirst + 4) % 7) + 7) % 7;
    return inFirst - ((at - first + 7) % 7);
  };
  const today = dayNumber(year, month, day);
  const own = today < start(year) ? year - 1 : today >= start(year + 1) ? year + 1 : year;
  return [own, Math.floor((today - start(own)) / 7) + 1];
}

function formatOffset(minutes: number, between: string): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}${between}${pad(size % 60)}`;
}

function localTime(time: number, zone: string): Local {
  let clock: Intl.DateTimeFormat;
  try {
    clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      timeZoneName: "short",
    });
  } catch (cause) {
    throw new RegistryError("INVALID", `${JSON.stringify(zone)} is no time zone`, {
      cause,
      hint: "write a name such as Europe/Berlin, or UTC",
    });
  }
  const parts = Object.fromEntries(clock.formatToParts(time).map(({ type, value }) => [type, value]));
  const number = (type: string): number => Number(parts[type]);
  const [year, month, day] = [number("year"), number("month"), number("day")];
  const [hour, minute, second] = [number("hour"), number("minute"), number("second")];
  const wall = dayNumber(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
  const offset = Math.round((wall - Math.floor(time / 1000)) / 60);
  return {
    year,
    month,
    day,
    hour,
    minute,
    second,
    offset,
    zone: parts["timeZoneName"] ?? zone,
    ms: ((time % 1000) + 1000) % 1000,
  };
}
