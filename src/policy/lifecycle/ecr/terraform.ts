import { requireDocument } from "../check.ts";

export interface TerraformOptions {
  /** The repositories that the policy is for, as ECR calls them. */
  readonly repositories: readonly string[];
  /** Writes the repositories too, whose tags may move or not. */
  readonly mutability?: "MUTABLE" | "IMMUTABLE";
}

/**
 * Writes a policy of ECR as Terraform's language has it, formatted as `terraform fmt` does: an `aws_ecr_lifecycle_policy` for
 * each repository. Throws INVALID for a document that ECR would refuse.
 */
export function ecrTerraform(document: unknown, { repositories, mutability }: TerraformOptions): string {
  requireDocument("ecr", document);
  const labels = labelsOf(repositories);
  const blocks = repositories.flatMap((name, i) => {
    const label = labels[i]!;
    const quoted = text(name);
    const policy = `jsonencode(${expression(document, "  ")})`;
    const repository = mutability === undefined ? quoted : `aws_ecr_repository.${label}.name`;
    const resource = block("aws_ecr_lifecycle_policy", label, [`repository = ${repository}`, "", `policy = ${policy}`]);
    if (mutability === undefined) return [resource];
    const settings = [`name                 = ${quoted}`, `image_tag_mutability = ${text(mutability)}`];
    return [block("aws_ecr_repository", label, settings), resource];
  });
  return blocks.join("\n");
}

const block = (type: string, label: string, lines: readonly string[]): string =>
  `resource "${type}" "${label}" {\n${lines.map((line) => (line === "" ? "" : `  ${line}`)).join("\n")}\n}\n`;

/** Names for resources, each of its own. */
function labelsOf(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = name.replace(/[^\w-]/g, "_").replace(/^(?![a-z_])/i, "_");
    let label = base;
    for (let i = 2; taken.has(label); i++) label = `${base}_${i}`;
    taken.add(label);
    return label;
  });
}

/** A value as an expression; lines that follow each other have their equals signs below each other. */
function expression(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === "string")) return `[${value.map(text).join(", ")}]`;
    return `[\n${value.map((item) => `${inner}${expression(item, inner)}`).join(",\n")}\n${indent}]`;
  }
  if (typeof value === "string") return text(value);
  if (typeof value !== "object" || value === null) return String(value);
  const written = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([key, one]) => ({ key, text: expression(one, inner) }));
  const lines = written.map(({ key, text: right }, i) => {
    const width = Math.max(...alignedWith(written, i).map((one) => one.key.length));
    return `${inner}${key.padEnd(width)} = ${right}`;
  });
  return `{\n${lines.join("\n")}\n${indent}}`;
}

interface Written {
  readonly key: string;
  readonly text: string;
}

/** The entries around one that stand on a line each, or that alone where it takes several. */
function alignedWith(all: readonly Written[], place: number): readonly Written[] {
  const isLong = ({ text: right }: Written): boolean => right.includes("\n");
  if (isLong(all[place]!)) return [all[place]!];
  let [from, to] = [place, place];
  while (from > 0 && !isLong(all[from - 1]!)) from--;
  while (to < all.length - 1 && !isLong(all[to + 1]!)) to++;
  return all.slice(from, to + 1);
}

/** A text in quotes, in which nothing is a template. */
function text(value: string): string {
  return JSON.stringify(value)
    .replace(/[$%](?=\{)/g, "$&$&")
    .replaceAll("\u007f", String.raw`\u007f`);
}
