/** Something that is measured beside others. */
export interface Contender<Sample> {
  readonly name: string;
  /** Does it once, and checks what came of it. */
  readonly run: () => Promise<Sample>;
}

export interface RoundOptions {
  readonly runs: number;
  /** Rounds that do not count: they fill the page cache and show what does not work at all; one unless told. */
  readonly warmUps?: number;
  readonly log: (line: string) => void;
}

/**
 * Runs all contenders in turn, round after round, so that what disturbs the machine disturbs all of them; each round begins
 * with the next of them, so that none has the same before it every time.
 */
export async function rounds<Sample>(
  title: string,
  contenders: readonly Contender<Sample>[],
  { runs, warmUps = 1, log }: RoundOptions,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1 - warmUps; round <= runs; round++) {
    log(`${title}: ${round > 0 ? `round ${round} of ${runs}` : "warming up"}`);
    const first = (round + contenders.length) % contenders.length;
    for (const { name, run } of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const sample = await run();
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return samples;
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}
