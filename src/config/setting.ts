/** One value of a configuration, and where it is from. */
export interface Setting {
  /** The keys that lead to it. */
  readonly path: readonly string[];
  /** The same in one: `hosts["registry.example"].proxy`. */
  readonly name: string;
  readonly value: unknown;
  /** As the option of this name takes it. */
  readonly written: boolean | readonly string[];
  /** For people and programs: secrets are `[secret]`, times and sizes as they are written. */
  readonly shown: unknown;
  /** Where it stands: `FILE:LINE`, a variable, an option or `default`. */
  readonly origin: string;
  /** What a higher level takes the place of as a whole: this value, or the entry that it is in. */
  readonly unit: string;
}

/** Writes a path of keys as one name. */
export function settingName(path: readonly string[]): string {
  return path.reduce((name, key) => {
    if (!/^[A-Za-z][A-Za-z0-9]*$/.test(key)) return `${name}[${JSON.stringify(key)}]`;
    return name === "" ? key : `${name}.${key}`;
  }, "");
}

/** What of several levels counts, the highest first; each unit comes from one level. */
export function mergeLevels(levels: readonly (readonly Setting[])[]): readonly Setting[] {
  const level = new Map<string, number>();
  return levels.flatMap((settings, i) => {
    for (const { unit } of settings) if (!level.has(unit)) level.set(unit, i);
    return settings.filter(({ unit }) => level.get(unit) === i);
  });
}

/** The settings as one value, by their paths. */
export function settingsTree(settings: readonly Setting[]): Readonly<Record<string, unknown>> {
  // Names are the user's: without a prototype, `__proto__` is one like others.
  const root = Object.create(null) as Record<string, unknown>;
  for (const { path, value } of settings) {
    let at = root;
    for (const key of path.slice(0, -1)) {
      at[key] ??= Object.create(null);
      at = at[key] as Record<string, unknown>;
    }
    at[path.at(-1)!] = value;
  }
  return root;
}
