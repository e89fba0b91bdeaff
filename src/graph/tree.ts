import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Call, Source } from "../store/store.ts";
import { attachedTo, attachmentLimit, digestTags, endless } from "./attachments.ts";
import { checkNesting } from "./nesting.ts";
import { manifestAt, nameOf } from "./sides.ts";

/** A manifest and what belongs to it. */
export interface TreeNode {
  /** How it belongs to the node above: an index's child, a referrer, or what a `sha256-<hex>.<suffix>` tag names. */
  readonly role: "root" | "child" | "referrer" | "tag";
  readonly descriptor: Descriptor;
  /** The digest tag, for the role `tag`. */
  readonly tag?: string;
  /** Undefined where the manifest is missing. */
  readonly manifest?: Manifest;
  readonly nodes: readonly TreeNode[];
}

/** The most nodes that a tree may have; an index that lists an index many times, and so on down, has many from few bytes. */
const nodeLimit = 20_000;

/**
 * Reads the whole tree below a tag or digest: children and, unless turned off, all that is attached. Throws
 * MANIFEST_UNKNOWN, and TOO_LARGE for a tree that is nested without an end.
 */
export async function tree(
  from: Source,
  ref: string,
  { signal, referrers = true }: Call & { readonly referrers?: boolean } = {},
): Promise<TreeNode> {
  const image = nameOf(from, ref);
  const tags = referrers ? await digestTags(from, signal) : undefined;
  const read = once((digest) => from.manifest(digest, { signal }));
  const attachedOn = once((digest) => (referrers ? attachedTo(from, digest, tags, signal) : Promise.resolve([])));
  let count = 1;

  /** Counts nodes before they grow. */
  const reserve = (nodes: number): void => {
    count += nodes;
    if (count > nodeLimit) throw new RegistryError("TOO_LARGE", `${image} has more than ${nodeLimit} manifests`);
  };

  async function grow(place: Place, descriptor: Descriptor, manifest: Manifest | undefined): Promise<TreeNode> {
    const { role, tag, above, depth, attached } = place;
    const node = { role, descriptor, ...(tag !== undefined && { tag }), ...(manifest && { manifest }) };
    // A digest cannot contain itself, but a registry can list anything as a referrer.
    if (!manifest || above.includes(descriptor.digest)) return { ...node, nodes: [] };
    checkNesting(manifest, depth, image);
    if (attached > attachmentLimit) throw endless(from, descriptor.digest);
    const path = [...above, descriptor.digest];
    const inside = { role: "child", above: path, depth: depth + 1, attached } as const;
    reserve(manifest.manifests.length);
    const children = manifest.manifests.map(async (child) => grow(inside, child, await read(child.digest)));
    const around = async (): Promise<readonly TreeNode[]> => {
      const found = await attachedOn(descriptor.digest);
      reserve(found.length);
      const on = { above: path, depth: 1, attached: attached + 1 } as const;
      return Promise.all(
        found.map(({ tag, descriptor, manifest }) =>
          grow(tag === undefined ? { ...on, role: "referrer" } : { ...on, role: "tag", tag }, descriptor, manifest),
        ),
      );
    };
    const [below, beside] = await Promise.all([Promise.all(children), around()]);
    return { ...node, nodes: [...below, ...beside] };
  }

  const root = await manifestAt(from, ref, signal);
  return grow({ role: "root", above: [], depth: 1, attached: 0 }, root.descriptor, root);
}

/** Does work for each digest once. */
function once<T>(work: (digest: Digest) => T): (digest: Digest) => T {
  const done = new Map<Digest, T>();
  return (digest) => {
    const known = done.get(digest) ?? work(digest);
    done.set(digest, known);
    return known;
  };
}

/** Where in a tree a node grows. */
interface Place extends Pick<TreeNode, "role" | "tag"> {
  /** The digests above it. */
  readonly above: readonly string[];
  /** How deep in indexes it is, the first being 1. */
  readonly depth: number;
  /** How many attachments hang on one another down to it. */
  readonly attached: number;
}

/** Visits a tree's nodes, each before those below it. */
export function* walkTree(
  node: TreeNode,
  depth = 0,
): Generator<{ readonly node: TreeNode; readonly depth: number }, void> {
  yield { node, depth };
  for (const below of node.nodes) yield* walkTree(below, depth + 1);
}
