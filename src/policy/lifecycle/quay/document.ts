/** The auto-prune policies of a repository or organization of Quay. */
export interface QuayDocument {
  readonly policies: readonly QuayPolicy[];
}

export interface QuayPolicy {
  readonly uuid?: string;
  readonly method: "number_of_tags" | "creation_date";
  readonly value: number | string;
  readonly tagPattern?: string | null;
  readonly tagPatternMatches?: boolean | null;
}

const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** Seconds of `7d`. */
export function secondsOf(value: number | string): number {
  const text = String(value);
  return Number.parseInt(text, 10) * units[text.at(-1) as keyof typeof units];
}
