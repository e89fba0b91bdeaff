/** The samples of Prometheus' text format (version 0.0.4), each checked for its form. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const sample = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (\S+)$/;
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, name, value] = sample.exec(line) ?? [];
      if (name === undefined) throw new Error(`no sample: ${line}`);
      return [name, value === "+Inf" ? Infinity : Number(value)];
    }),
  );
}
