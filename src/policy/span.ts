const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** The milliseconds of a span of time as policies have it: `90m`, `36h`, `14d`, `2w`; undefined for anything else. */
export function readSpan(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * units[unit as keyof typeof units];
}
