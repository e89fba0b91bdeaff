import { expect, test } from "vitest";
import { killAgainAndAgain } from "./crash.ts";
import { temporaryDirectory } from "./storages.ts";

test(
  "killed in the middle of pushes, it has all that it acknowledged, and nothing by halves",
  { timeout: 60_000 },
  async () => {
    const rounds = 3;
    expect(await killAgainAndAgain(await temporaryDirectory(), rounds)).toBeGreaterThan(rounds * 5);
  },
);
