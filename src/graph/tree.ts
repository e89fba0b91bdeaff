import type { Descriptor } from "../oci/descriptor.ts";
import { isAbsent } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Call, Source } from "../store/store.ts";
import { attachedTo, digestTags } from "./attachments.ts";
import { manifestAt } from "./sides.ts";

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

/** Reads the whole tree below a tag or digest: children and, unless turned off, all that is attached. Throws MANIFEST_UNKNOWN. */
export async function tree(
  from: Source,
  ref: string,
  options: Call & { readonly referrers?: boolean } = {},
): Promise<TreeNode> {
  const { signal } = options;
  const tags = options.referrers === false ? undefined : await digestTags(from, signal);

  async function grow(
    role: TreeNode["role"],
    descriptor: Descriptor,
    manifest: Manifest | undefined,
    path: readonly string[],
    tag?: string,
  ): Promise<TreeNode> {
    const node = { role, descriptor, ...(tag !== undefined && { tag }), ...(manifest && { manifest }) };
    // A digest cannot contain itself, but a registry can list anything as a referrer.
    if (!manifest || path.includes(descriptor.digest)) return { ...node, nodes: [] };
    const below = [...path, descriptor.digest];
    const children = manifest.manifests.map(async (child) =>
      grow("child", child, await from.manifest(child.digest, { signal }), below),
    );
    const attached = options.referrers === false ? [] : await attachedTo(from, descriptor.digest, tags, signal);
    const hanging = attached.map((one) =>
      grow(one.tag === undefined ? "referrer" : "tag", one.descriptor, one.manifest, below, one.tag),
    );
    return { ...node, nodes: await Promise.all([...children, ...hanging]) };
  }

  const root = await manifestAt(from, ref, signal);
  return grow("root", root.descriptor, root, []);
}

/** Visits a tree's nodes, each before those below it. */
export function* walkTree(
  node: TreeNode,
  depth = 0,
): Generator<{ readonly node: TreeNode; readonly depth: number }, void> {
  yield { node, depth };
  for (const below of node.nodes) yield* walkTree(below, depth + 1);
}

/** The tags of a repository that point at a digest, one HEAD a tag. */
export async function tagsOf(from: Source, digest: string, call?: Call): Promise<readonly string[]> {
  const found: string[] = [];
  const pending: Promise<void>[] = [];
  try {
    for await (const tag of from.tags(call)) {
      pending.push(
        from.head(tag, call).then((there) => {
          if (there?.digest === digest) found.push(tag);
        }),
      );
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  } finally {
    await Promise.allSettled(pending);
  }
  await Promise.all(pending);
  return found.sort();
}
