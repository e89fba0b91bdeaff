import type { SizeAt } from "../../policy/index.ts";
import { formatSize } from "./text.ts";

const [width, height] = [960, 400];
const box = { left: 76, right: 16, top: 16, bottom: 36 } as const;
const day = 86_400_000;

const style = `
  svg { font: 13px system-ui, sans-serif; color-scheme: light dark }
  .ground { fill: #fff } .text { fill: #444 } .grid { stroke: #ddd }
  .without { fill: #f0c987; stroke: #b7791f } .with { fill: #7fb3d5; stroke: #1f5f8b }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #16191d } .text { fill: #bbb } .grid { stroke: #333 }
    .without { fill: #6b4e1e; stroke: #e0a84a } .with { fill: #22506f; stroke: #74b9e6 }
  }`;

/** Sizes over time as a drawing by itself: SVG with all that it needs in it, fit for light and dark. */
export function sizeSvg(sizes: readonly SizeAt[]): string {
  const last = sizes.at(-1);
  const open =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">` +
    `<title id="title">${titleOf(last)}</title><style>${style}</style>` +
    `<rect class="ground" width="${width}" height="${height}"/>`;
  if (!last) return `${open}<text class="text" x="20" y="40">${titleOf(last)}</text></svg>\n`;
  const [from, to] = [sizes[0]!.at.getTime(), Math.max(last.at.getTime(), sizes[0]!.at.getTime() + day)];
  const step = niceStep(Math.max(1, ...sizes.map((one) => one.without)) / 4);
  const most = step * Math.max(1, Math.ceil(Math.max(...sizes.map((one) => one.without)) / step));
  const x = (time: number): number => round(box.left + ((time - from) / (to - from)) * (width - box.left - box.right));
  const y = (bytes: number): number => round(height - box.bottom - (bytes / most) * (height - box.top - box.bottom));
  const area = (name: "with" | "without"): string => {
    const line = sizes.map((one) => `${x(one.at.getTime())},${y(one[name])}`);
    return (
      `<path class="${name}" d="M${x(from)},${y(0)} L${line.join(" L")} L${x(last.at.getTime())},${y(0)} Z" ` +
      `stroke="none" fill-opacity="0.75"/><path class="${name}" d="M${line.join(" L")}" style="fill:none" stroke-width="2"/>`
    );
  };
  const levels = Array.from({ length: Math.round(most / step) + 1 }, (_, i) => i * step);
  const grid = levels.map(
    (bytes) =>
      `<line class="grid" x1="${box.left}" x2="${width - box.right}" y1="${y(bytes)}" y2="${y(bytes)}"/>` +
      `<text class="text" x="${box.left - 8}" y="${y(bytes) + 4}" text-anchor="end">${formatSize(bytes)}</text>`,
  );
  const dates = ticks(from, to).map((time, i, all) => {
    const anchor = i === 0 ? "start" : i === all.length - 1 ? "end" : "middle";
    return `<text class="text" x="${x(time)}" y="${height - 14}" text-anchor="${anchor}">${dateOf(time)}</text>`;
  });
  return `${open}${grid.join("")}${area("without")}${area("with")}${dates.join("")}${legend(last)}</svg>\n`;
}

/** The same as a page, with the numbers as a table. */
export function sizePage(sizes: readonly SizeAt[]): string {
  const every = Math.max(1, Math.ceil(sizes.length / 60));
  const shown = sizes.filter((_, i) => (sizes.length - 1 - i) % every === 0).toReversed();
  const rows = shown.map(
    (one) =>
      `<tr><td>${dateOf(one.at.getTime())}</td><td>${formatSize(one.without)}</td><td>${formatSize(one.with)}</td>` +
      `<td>${formatSize(one.without - one.with)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Size over time</title><style>
  :root { color-scheme: light dark }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  svg { width: 100%; height: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums }
  th, td { text-align: right; padding: 0.15rem 1rem } th:first-child, td:first-child { text-align: left }
  tbody tr:nth-child(odd) { background: #8881 }
</style></head><body>
<h1>Size over time</h1><p>${titleOf(sizes.at(-1))}</p>
${sizeSvg(sizes)}<table><thead><tr><th>day</th><th>without the policy</th><th>with it</th><th>freed</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table>
</body></html>
`;
}

function titleOf(last: SizeAt | undefined): string {
  if (!last) return "it is not known when anything was pushed";
  return `${formatSize(last.without)} today; ${formatSize(last.with)} with the policy`;
}

function legend(last: SizeAt): string {
  const entry = (name: "with" | "without", text: string, at: number): string =>
    `<rect class="${name}" x="${at}" y="${box.top + 6}" width="14" height="14"/>` +
    `<text class="text" x="${at + 20}" y="${box.top + 18}">${text}</text>`;
  return (
    entry("without", `without the policy: ${formatSize(last.without)}`, box.left + 12) +
    entry("with", `with it: ${formatSize(last.with)}`, box.left + 262)
  );
}

const round = (n: number): number => Math.round(n * 10) / 10;
const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The next of 1, 2 and 5 with zeros. */
function niceStep(least: number): number {
  const unit = 10 ** Math.floor(Math.log10(least));
  return unit * ([1, 2, 5].find((n) => n * unit >= least) ?? 10);
}

function ticks(from: number, to: number): readonly number[] {
  const count = Math.min(6, Math.floor((to - from) / day) + 1);
  return Array.from({ length: count }, (_, i) => from + ((to - from) * i) / Math.max(1, count - 1));
}
