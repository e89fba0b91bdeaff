const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** How spans of time are written: `90m`, `12h`, `30d`, `2w`. */
export const spanForm = /^\s*(\d{1,6}(?:\.\d{1,3})?)\s*([mhdw])\s*$/;

/** The milliseconds that a text such as `90m`, `12h`, `30d` or `2w` stands for; undefined for anything else. */
export function readSpan(text: string): number | undefined {
  const [, number, unit] = spanForm.exec(text) ?? [];
  return number === undefined ? undefined : Math.round(Number(number) * units[unit as keyof typeof units]);
}
