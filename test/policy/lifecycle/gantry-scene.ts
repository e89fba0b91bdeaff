import type { Held, Inventory } from "../../../src/graph/inventory.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { contentsOf } from "../../../src/policy/retain/contents.ts";
import { retentionDecider } from "../../../src/policy/retain/decide.ts";
import { parseRetention } from "../../../src/policy/retain/schema.ts";
import { now } from "./samples.ts";

/** What goes by a policy of Gantry's own: tags, and images that have none. */
export function goesByGantry(document: unknown, images: readonly LifecycleImage[], name: string): ReadonlySet<string> {
  const all = images.map(({ digest, tags, pushed, pulled, children = [] }): Held => ({
    digest: digest!,
    mediaType: children.length > 0 ? mediaTypes.ociIndex : mediaTypes.ociManifest,
    size: 100,
    blobs: [],
    children,
    tags,
    pushed: Date.parse(pushed!),
    ...(pulled !== undefined && { pulled: Date.parse(pulled) }),
  }));
  const inventory: Inventory = {
    repository: `registry.example/${name}`,
    manifests: new Map(all.map((held) => [held.digest, held])),
    tags: new Map(all.flatMap(({ tags, digest }) => tags.map((tag) => [tag, digest] as const))),
    listsUntagged: true,
    gaps: [],
  };
  const policy = parseRetention({ name: "policy.yaml", value: document });
  // Services tell of pulls, even where there was none yet.
  const contents = { ...contentsOf(inventory), tellsPulls: true };
  const { tags, untagged } = retentionDecider(policy).decide(contents, now);
  const { graph } = contents;
  return new Set([
    ...graph.tags.filter((_, number) => tags[number]?.goes),
    ...graph.held.flatMap(({ digest }, number) => (untagged[number]?.goes ? digest : [])),
  ]);
}
