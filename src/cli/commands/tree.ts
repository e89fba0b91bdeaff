import { isIndexType, tree, type Digest, type TreeNode } from "../../index.ts";
import type { Run } from "../command.ts";
import { platformOf, sizeOf } from "../image.ts";
import { referrers } from "../options.ts";
import { count, formatSize, paint, plain, shortDigest, type Look } from "../render/text.ts";

interface Branch {
  readonly role: TreeNode["role"];
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly platform?: string;
  /** The digest tag that names it. */
  readonly tag?: string;
  /** Bytes of the manifest and its blobs; absent where the manifest is missing. */
  readonly size?: number;
  readonly layers?: number;
  readonly nodes: readonly Branch[];
}

export const run: Run<[reference: string]> = async ([reference], { get, open, out, signal }) => {
  const { store, ref, name } = await open(reference, "pull");
  const root = branch(await tree(store, ref, { signal, referrers: get(referrers) }));
  await out.print({ name, ...root }, (result, look) => {
    const wide = look.width ?? Number.POSITIVE_INFINITY;
    return `${paint(look, "bold", plain(name))}  ${label(result, look, wide - name.length - 2)}\n${lines(result.nodes, look, "", wide)}`;
  });
};

function branch({ role, descriptor, manifest, tag, nodes }: TreeNode): Branch {
  const platform = platformOf(descriptor);
  const artifactType =
    artifactTypeOf(descriptor.artifactType, manifest?.config?.mediaType) ?? attestation(descriptor.annotations);
  return {
    role,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    ...(artifactType && { artifactType }),
    ...(platform && { platform }),
    ...(tag !== undefined && { tag }),
    ...(manifest && { size: sizeOf([manifest]) }),
    ...(manifest &&
      !isIndexType(descriptor.mediaType) && { layers: manifest.blobs.length - (manifest.config ? 1 : 0) }),
    nodes: nodes.map(branch),
  };
}

/** Whether it is more than an image's config type, which every image manifest has. */
function artifactTypeOf(type: string | undefined, config: string | undefined): string | undefined {
  const isImageConfig = /image\.(config\.)?v1\+json$/.test(type ?? "");
  return type === undefined || (type === config && isImageConfig) || isImageConfig ? undefined : type;
}

function attestation(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
  return annotations?.["vnd.docker.reference.type"];
}

function lines(nodes: readonly Branch[], look: Look, indent: string, wide: number): string {
  return nodes
    .map((node, i) => {
      const last = i === nodes.length - 1;
      const head = `${indent}${last ? "└─ " : "├─ "}`;
      const below = lines(node.nodes, look, `${indent}${last ? "   " : "│  "}`, wide);
      return `${paint(look, "dim", head)}${label(node, look, wide - head.length)}\n${below}`;
    })
    .join("");
}

function label(node: Branch, look: Look, wide: number): string {
  const what = [node.platform, node.tag, node.artifactType]
    .filter(Boolean)
    .map((text) => plain(text!))
    .join("  ");
  const kind =
    node.role === "referrer"
      ? "referrer"
      : node.role === "tag"
        ? "tag"
        : isIndexType(node.mediaType)
          ? "index"
          : what === ""
            ? "image"
            : "";
  const size =
    node.size === undefined
      ? "missing"
      : [node.layers !== undefined && count(node.layers, node.artifactType ? "file" : "layer"), formatSize(node.size)]
          .filter(Boolean)
          .join(", ");
  const text = (digest: string): string => [what, digest, kind, size].filter(Boolean).join("  ");
  const digest = text(node.digest).length > wide ? shortDigest(node.digest) : node.digest;
  const painted = node.size === undefined ? paint(look, "red", size) : size;
  return [what, paint(look, "dim", digest), paint(look, "cyan", kind), painted].filter(Boolean).join("  ");
}
