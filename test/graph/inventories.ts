import * as fc from "fast-check";
import type { Held, Inventory } from "../../src/graph/inventory.ts";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";

/** A digest that stands for a name. */
export const digest = (name: string): Digest => digestOf(name);

/** What a test says of a manifest; names stand for digests. */
export interface Sketch {
  readonly size?: number;
  readonly tags?: readonly string[];
  readonly children?: readonly string[];
  readonly subject?: string;
  /** Bytes by name. */
  readonly blobs?: Readonly<Record<string, number>>;
}

/** An inventory of what is sketched, each manifest of 100 bytes unless told. */
export function inventoryOf(sketches: Readonly<Record<string, Sketch>>): Inventory {
  const held = Object.entries(sketches).map(([name, sketch]): Held => {
    const { size = 100, tags = [], children = [], subject, blobs = {} } = sketch;
    return {
      digest: digest(name),
      mediaType: children.length > 0 ? mediaTypes.ociIndex : mediaTypes.ociManifest,
      size,
      blobs: Object.entries(blobs).map(([blob, bytes]) => ({ digest: digest(`blob ${blob}`), size: bytes })),
      children: children.map(digest),
      tags,
      ...(subject !== undefined && { subject: digest(subject) }),
    };
  });
  return {
    repository: "registry.example/app",
    manifests: new Map(held.map((one) => [one.digest, one])),
    tags: new Map(held.flatMap((one) => one.tags.map((tag) => [tag, one.digest] as const))),
    listsUntagged: true,
    gaps: [],
  };
}

/** Any graph of up to 20 manifests: parts, attachments and digest tags at random, cycles and what is missing among them. */
export const anyInventory: fc.Arbitrary<Inventory> = fc
  .array(
    fc.record({
      tagged: fc.boolean(),
      children: fc.array(fc.nat(21), { maxLength: 3 }),
      subject: fc.option(fc.nat(21), { nil: undefined }),
      describes: fc.option(fc.nat(21), { nil: undefined }),
      blobs: fc.array(fc.nat(8), { maxLength: 3 }),
    }),
    { maxLength: 20 },
  )
  .map((graph) =>
    inventoryOf(
      Object.fromEntries(
        graph.map(({ tagged, children, subject, describes, blobs }, i): [string, Sketch] => [
          `m${i}`,
          {
            tags: [
              ...(tagged ? [`t${i}`] : []),
              ...(describes === undefined ? [] : [`${digest(`m${describes}`).replace(":", "-")}.s${i}`]),
            ],
            children: children.map((child) => `m${child}`),
            ...(subject !== undefined && { subject: `m${subject}` }),
            blobs: Object.fromEntries(blobs.map((blob) => [blob, 10 ** blob])),
          },
        ]),
      ),
    ),
  );

/** Some digests of an inventory, in any order. */
export const someOf = (inventory: Inventory): fc.Arbitrary<Digest[]> =>
  fc.shuffledSubarray([...inventory.manifests.keys()]);
