import { expect, test } from "vitest";
import { sizeChart } from "../../../src/cli/render/size-chart.ts";
import { sizePage, sizeSvg } from "../../../src/cli/render/size-svg.ts";
import type { SizeAt } from "../../../src/policy/index.ts";

const sizes: readonly SizeAt[] = Array.from({ length: 11 }, (_, i) => ({
  at: new Date(Date.UTC(2026, 9, 1 + i)),
  without: i * 1e9,
  with: Math.min(i, 4.25) * 1e9,
}));

test("a chart of characters: what stays is full, what would go light, and the terminal's width is kept", () => {
  expect(sizeChart(sizes, { color: false, width: 33 }).split("\n")).toEqual([
    "",
    "10.0 GB                       ░░",
    "                            ░░░░",
    "                          ░░░░░░",
    "                       ░░░░░░░░░",
    " 5.0 GB              ░░░░░░░░░░░",
    "                   ▂▂▂▂▂▂▂▂▂▂▂▂▂",
    "                 ███████████████",
    "              ██████████████████",
    "            ████████████████████",
    "    0 B   ██████████████████████",
    "        2026-10-01    2026-10-11",
    "        █ with the policy: 4.3 GB",
    "        ░ without it: 10.0 GB",
    "",
  ]);
});

test("colours only where they are shown, and words where nothing is known", () => {
  expect(sizeChart(sizes, { color: true, width: 33 })).toContain("\u001B[36m");
  expect(sizeChart(sizes, { color: false })).not.toContain("\u001B");
  expect(sizeChart([], { color: false })).toBe("it is not known when anything was pushed: there is nothing to draw\n");
});

test("a drawing has its lines from the first moment to the last, and levels that are round", () => {
  const svg = sizeSvg(sizes);
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 960 400" role="img"/);
  expect(svg).toContain('<title id="title">10.0 GB today; 4.3 GB with the policy</title>');
  expect([...svg.matchAll(/text-anchor="end">([^<]+)</g)].map(([, text]) => text)).toEqual([
    "0 B",
    "5.0 GB",
    "10.0 GB",
    "2026-10-11",
  ]);
  expect(svg).toContain("M76,364 L76,364 L162.8,329.2 ");
  expect(sizeSvg([])).toContain("it is not known when anything was pushed");
});

test("a page has the numbers, newest first", () => {
  const rows = [...sizePage(sizes).matchAll(/<tr><td>(.*?)<\/td><td>(.*?)<\/td><td>(.*?)<\/td><td>(.*?)<\/td>/g)];
  expect(rows).toHaveLength(11);
  expect(rows[0]!.slice(1)).toEqual(["2026-10-11", "10.0 GB", "4.3 GB", "5.8 GB"]);
});
