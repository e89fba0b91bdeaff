import type { ImageUsage, RepositoryUsage, SharedLayer, Usage } from "../index.ts";
import { folded, table, type Column } from "./render/table.ts";
import { count, formatSize, paint, plain, shortDigest, type Look } from "./render/text.ts";

/** How many shared layers people are shown unless they say. */
const layersShown = 10;
/** How many names a line of a tree has room for. */
const namesShown = 2;

const imageName = ({ tags, digest }: ImageUsage): string => tags.join(", ") || `@${digest}`;

const sizes: readonly Column<{ readonly size: number; readonly frees: number }>[] = [
  { title: "SIZE", value: ({ size }) => formatSize(size), right: true },
  { title: "FREES", value: ({ frees }) => formatSize(frees), right: true },
];
const repositoryColumns: readonly Column<RepositoryUsage>[] = [
  { title: "REPOSITORY", value: (one) => one.repository },
  { title: "TAGS", value: (one) => String(one.tags), right: true },
  { title: "IMAGES", value: (one) => String(one.images.length), right: true },
  ...sizes,
];
const layerColumns: readonly Column<SharedLayer>[] = [
  { title: "SHARED", value: ({ digest }) => digest },
  { title: "SIZE", value: ({ size }) => formatSize(size), right: true },
  { title: "IMAGES", value: ({ images }) => String(images), right: true },
  {
    title: "REPOSITORIES",
    value: ({ repositories }) => (repositories > 1 ? String(repositories) : ""),
    right: true,
    ifTold: true,
  },
  { title: "AMONG THEM", value: ({ among, repository }) => namesIn(among, repository) },
];

/** The images of one repository, or several repositories; then what is shared most. `all` is what `shown` was cut from. */
export function usageTables(shown: Usage, all: Usage, look: Look): string {
  const [only] = shown.repositories;
  const [rows, main] =
    all.repositories.length === 1 && only
      ? [only.images, table(only.images, imageColumns(only), look)]
      : [shown.repositories, table(shown.repositories, repositoryColumns, look)];
  const layers = shown.layers.slice(0, shown === all ? layersShown : undefined);
  const tables = [
    ...(rows.length > 0 ? [main] : []),
    ...(layers.length > 0 ? [table(layers, layerColumns, look)] : []),
  ];
  return [...tables, `${folded(summary(all), look)}\n`].join("\n");
}

function imageColumns({ repository }: RepositoryUsage): readonly Column<ImageUsage>[] {
  return [
    { title: "TAGS", value: (image) => image.tags.join(", ") || "-" },
    { title: "DIGEST", value: (image) => image.digest },
    ...sizes,
    { title: "ARTIFACT", value: (image) => image.artifactType ?? "", ifTold: true },
    { title: "SHARES THE REST WITH", value: (image) => namesIn(image.sharedWith, repository), ifTold: true },
  ];
}

/** Names of images; of those in `repository`, the tag alone. */
export function namesIn(images: readonly string[], repository = ""): string {
  const isIn = (name: string): boolean => name.startsWith(repository) && /^[:@]/.test(name.slice(repository.length));
  return images.map((name) => (isIn(name) ? name.slice(repository.length).replace(/^:/, "") : name)).join(", ");
}

/** Every repository with its images, then what is shared most. */
export function usageTree(shown: Usage, all: Usage, look: Look): string {
  const whole = new Map(all.repositories.map((one) => [one.repository, one]));
  const trees = shown.repositories.map((one) => {
    const { images } = whole.get(one.repository)!;
    const lines = one.images.map((image) => imageLine(image, one.repository, look));
    const rest = images.length - lines.length;
    if (rest > 0) lines.push(paint(look, "dim", `and ${count(rest, "image")} more`));
    if (one.shared > 0) lines.push(`${formatSize(one.shared)} shared by images of this repository alone`);
    return branch(`${paint(look, "bold", plain(one.repository))}  ${bytes(one)}`, lines, look);
  });
  const restOfAll = all.repositories.length - shown.repositories.length;
  if (restOfAll > 0) trees.push(paint(look, "dim", `and ${count(restOfAll, "repository", "repositories")} more\n`));
  const layers = shown.layers.slice(0, shown === all ? layersShown : undefined).map((layer) => layerLine(layer, look));
  const left = all.layers.length - layers.length;
  if (left > 0 && layers.length > 0) layers.push(paint(look, "dim", `and ${left} more`));
  if (layers.length > 0) trees.push(branch(paint(look, "bold", "what several images have"), layers, look));
  return `${trees.join("")}${folded(summary(all), look)}\n`;
}

function branch(head: string, lines: readonly string[], look: Look): string {
  const last = lines.length - 1;
  return [head, ...lines.map((line, i) => `${paint(look, "dim", i === last ? "└─" : "├─")} ${line}`)].join("\n") + "\n";
}

const bytes = ({ size, frees }: { readonly size: number; readonly frees: number }): string =>
  frees === size ? formatSize(size) : `${formatSize(size)}, frees ${formatSize(frees)}`;

function imageLine(image: ImageUsage, repository: string, look: Look): string {
  const name = image.tags.length > 0 ? imageName(image) : `untagged ${shortDigest(image.digest)}`;
  const shared =
    namesIn(image.sharedWith.slice(0, namesShown), repository) + (image.sharedWith.length > namesShown ? ", ..." : "");
  const parts = [name, image.artifactType, bytes(image), shared && `shares the rest with ${shared}`];
  return parts
    .filter((part) => part !== undefined && part !== "")
    .map((part, i) => (i === parts.length - 1 ? paint(look, "dim", plain(part!)) : plain(part!)))
    .join("  ");
}

function layerLine({ digest, size, images, repositories, repository, among }: SharedLayer, look: Look): string {
  const where = `${count(images, "image")}${repositories > 1 ? ` of ${repositories} repositories` : ""}`;
  const more = images > namesShown ? ", ..." : "";
  return `${shortDigest(digest)}  ${formatSize(size)}  ${where}  ${paint(look, "dim", plain(namesIn(among.slice(0, namesShown), repository) + more))}`;
}

/** All in one line, with how it was counted. */
export function summary({ size, shared, repositories }: Usage): string {
  const where = repositories.length === 1 ? "" : ` in ${count(repositories.length, "repository", "repositories")}`;
  const of = shared > 0 ? `; ${formatSize(shared)} of it are in more than one repository` : "";
  return `${formatSize(size)}${where}, what is there several times counted once${of}`;
}
