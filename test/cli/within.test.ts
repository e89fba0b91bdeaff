import { expect, onTestFinished, test, vi } from "vitest";
import { findCommand } from "../../src/cli/commands.ts";
import { parse } from "../../src/cli/parse.ts";
import { orLeft } from "../../src/cli/within.ts";

test.each([
  ["digest a", 5],
  ["sync a.yaml", 5],
  ["serve --data a", 15],
  ["sync a.yaml --watch", 30],
  ["sync a.yaml --watch --drain 2m", 125],
])("%s that does not end is left %i seconds after the signal", async (line, seconds) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const words = line.split(" ");
  const parsed = parse(words, { color: false });
  if ("text" in parsed) throw new Error(`only help: ${line}`);
  const stop = new AbortController();
  const said: string[] = [];
  const drain = findCommand(words)?.command.drains?.(parsed.get) ?? 0;
  const left = orLeft(new Promise<never>(() => {}), stop.signal, { drain, say: (text) => said.push(text) });
  const ending = expect(left).rejects.toMatchObject({ code: "ABORTED" });
  stop.abort();
  await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
  expect(said).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(said).toEqual([expect.stringContaining("did not let go within")]);
  await ending;
});
