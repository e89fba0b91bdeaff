import { hierarchy, treemap, type HierarchyRectangularNode } from "d3-hierarchy";
import type { ImageUsage, RepositoryUsage, SharedLayer, Usage } from "../index.ts";
import { count, formatSize, shortDigest } from "./render/text.ts";
import { namesIn, summary } from "./usage-text.ts";

/** What a rectangle of the page stands for. */
interface Area {
  readonly name: string;
  /** Bytes: of a leaf alone. */
  readonly value?: number;
  readonly kind: "all" | "repository" | "image" | "untagged" | "shared" | "rest";
  readonly hint?: string;
  readonly children?: readonly Area[];
}

const [width, height] = [1200, 720];
/** The most rectangles of a repository, and the most rows of a table; the rest goes together. */
const [mostAreas, mostRows] = [150, 500];

/** Draws what repositories take up as a page of its own: one file, without a script, and nothing from elsewhere. */
export function usagePage(place: string, usage: Usage, made: Date): string {
  const title = `What ${place} takes up`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escape(title)}</h1>
<p>${escape(summary(usage))}. <time>${made.toISOString().slice(0, 16).replace("T", " ")} UTC</time></p>
${usage.size > 0 ? `${picture(usage)}\n${legend}` : ""}
${tables(usage)}
</body>
</html>
`;
}

const legend = `<p class="note">Each area is what deleting an image would free; what several have is an area of its own. Dashed: images without a tag.</p>`;

const style = `
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --line: #d4d7dc; --soft: #5b616b; --fill: 82%; --head: 93%; --tint: 55%; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --paper: #16181b; --line: #3a3f46; --soft: #a0a7b1; --fill: 30%; --head: 17%; --tint: 30%; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: .25rem 0 1rem; } .note, time, caption { color: var(--soft); }
.map { width: 100%; height: auto; display: block; }
.map text { font: 12px system-ui, sans-serif; fill: var(--ink); } .map .size { fill: var(--soft); } .map .title { font-weight: 600; }
.map rect { stroke: var(--paper); stroke-width: 1; fill: hsl(var(--h) var(--tint) var(--fill)); }
.map .repository > rect { fill: hsl(var(--h) var(--tint) var(--head)); }
.map .untagged > rect { stroke: var(--soft); stroke-dasharray: 4 3; } .map .shared > rect { fill: hsl(var(--h) 8% var(--fill)); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; } .n { text-align: right; white-space: nowrap; } code { font-size: .85em; }
`;

/** A text as HTML: what registries call things is theirs to choose. */
function escape(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return (
    text
      .replace(/[&<>"']/g, (sign) => names[sign]!)
      // oxlint-disable-next-line no-control-regex -- HTML has no words for them, and directions could be forged
      .replace(/[\u0000-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, "\uFFFD")
  );
}

/** All bytes once: each repository's images by what they free, then what its images share, then what repositories share. */
function areas({ repositories, layers }: Usage): Area {
  const among = (layer: SharedLayer): string => `in ${count(layer.images, "image")}: ${layer.among.join(", ")}`;
  const shared = (of: readonly SharedLayer[]): Area[] =>
    together(
      of.map((layer) => ({ kind: "shared", name: shortDigest(layer.digest), value: layer.size, hint: among(layer) })),
    );
  const within = Map.groupBy(layers, ({ repository }) => repository);
  const inside = repositories.map((one): Area => {
    const images = one.images.map((image): Area => ({
      kind: image.tags.length > 0 ? "image" : "untagged",
      name: image.tags.join(", ") || shortDigest(image.digest),
      value: image.frees,
      hint: `${formatSize(image.size)} in all`,
    }));
    return {
      kind: "repository",
      name: one.repository,
      children: [...together(images), ...shared(within.get(one.repository) ?? [])],
    };
  });
  const across = shared(within.get(undefined) ?? []);
  const extra: Area[] =
    across.length > 0 ? [{ kind: "repository", name: "shared by repositories", children: across }] : [];
  return { kind: "all", name: "", children: [...inside, ...extra] };
}

/** The largest areas, and the others as one. */
function together(all: readonly Area[]): Area[] {
  const sorted = all.filter(({ value = 0 }) => value > 0).toSorted((a, b) => b.value! - a.value!);
  const rest = sorted.slice(mostAreas);
  if (rest.length === 0) return sorted;
  const value = rest.reduce((sum, one) => sum + one.value!, 0);
  return [...sorted.slice(0, mostAreas), { kind: "rest", name: `${rest.length} more`, value }];
}

function picture(usage: Usage): string {
  const root = hierarchy(areas(usage)).sum(({ value = 0 }) => value);
  const map = treemap<Area>()
    .size([width, height])
    .paddingOuter(2)
    .paddingTop((node) => (node.depth === 1 ? 20 : 0))
    .round(true)(root);
  const groups = map.children ?? [];
  const drawn = groups
    .filter((node) => (node.value ?? 0) > 0)
    .map((node, i) => group(node, Math.round((210 + i * 137.5) % 360)));
  return `<svg class="map" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(summary(usage))}">\n${drawn.join("\n")}\n</svg>`;
}

function group(node: HierarchyRectangularNode<Area>, hue: number): string {
  const leaves = (node.children ?? []).map((leaf) => rectangle(leaf, leaf.data.kind)).join("\n");
  return `<g style="--h: ${hue}">${rectangle(node, "repository")}\n${leaves}</g>`;
}

/** A rectangle with as much text as it holds; all of it is in its title. */
function rectangle({ x0, y0, x1, y1, value = 0, data }: HierarchyRectangularNode<Area>, kind: string): string {
  const [w, h] = [x1 - x0, y1 - y0];
  if (w < 1 || h < 1) return "";
  const size = formatSize(value);
  const line = (y: number, text: string, type: string): string =>
    w > 40 && h > y + 2 ? `<text x="5" y="${y}" class="${type}">${escape(text)}</text>` : "";
  const label =
    kind === "repository"
      ? line(15, `${data.name}  ${size}`, "title")
      : line(15, data.name, "name") + line(30, size, "size");
  const hint = [data.name, size, data.hint].filter(Boolean).join(", ");
  return `<svg x="${x0}" y="${y0}" width="${w}" height="${h}" class="${kind}"><title>${escape(hint)}</title><rect width="${w}" height="${h}"/>${label}</svg>`;
}

type Cell = string | { readonly number: string } | { readonly code: string };

function tables({ repositories, layers }: Usage): string {
  const shared = rows(
    "What several images have",
    ["Digest", "Size", "Images", "Repositories", "Among them"],
    layers.map((one): Cell[] => [
      { code: one.digest },
      { number: formatSize(one.size) },
      { number: String(one.images) },
      { number: String(one.repositories) },
      one.among.join(", "),
    ]),
  );
  return [...repositories.map(repositoryTable), shared].join("\n");
}

function repositoryTable({ repository, size, frees, images }: RepositoryUsage): string {
  const title = `${repository}: ${formatSize(size)}, frees ${formatSize(frees)}`;
  const cells = (image: ImageUsage): Cell[] => [
    image.tags.join(", ") || "no tag",
    { code: image.digest },
    { number: formatSize(image.size) },
    { number: formatSize(image.frees) },
    namesIn(image.sharedWith, repository),
  ];
  return rows(title, ["Tags", "Digest", "Size", "Frees", "Shares the rest with"], images.map(cells));
}

function rows(title: string, heads: readonly string[], all: readonly (readonly Cell[])[]): string {
  if (all.length === 0) return "";
  const cell = (one: Cell): string => {
    if (typeof one === "string") return `<td>${escape(one)}</td>`;
    return "number" in one
      ? `<td class="n">${escape(one.number)}</td>`
      : `<td><code title="${escape(one.code)}">${escape(shortDigest(one.code))}</code></td>`;
  };
  const isNumber = all[0]!.map((one) => typeof one === "object" && "number" in one);
  const head = heads.map((name, i) => `<th${isNumber[i] ? ' class="n"' : ""}>${name}</th>`).join("");
  const body = all
    .slice(0, mostRows)
    .map((one) => `<tr>${one.map(cell).join("")}</tr>`)
    .join("\n");
  const more = all.length > mostRows ? `<p class="note">and ${all.length - mostRows} more</p>` : "";
  return `<h2>${escape(title)}</h2>\n<table>\n<tr>${head}</tr>\n${body}\n</table>${more}`;
}
