import type { Run } from "../command.ts";
import { complete } from "../completion.ts";

export const run: Run<[words: string[]]> = async ([words], { client, out, signal }) => {
  // A shell waits for this at every press of a key: what a registry has not said by then comes without.
  const soon = AbortSignal.any([signal, AbortSignal.timeout(2000)]);
  const { candidates, directions } = await complete(words, async function* (place, kind) {
    const connected = await client({ from: [place] });
    if (kind === "tags") yield* connected.open(place).store.tags({ signal: soon });
    else yield* connected.registry(place).repositories("", { signal: soon });
  });
  const lines = [
    ...candidates.map(({ word, about }) => (about ? `${word}\t${about}` : word)),
    ...directions.map((one) => `:${one}`),
  ];
  await out.print(lines, (all) => all.map((line) => `${line}\n`).join(""));
};
