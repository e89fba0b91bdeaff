import { createHash } from "node:crypto";
import type { Held, Inventory } from "../../src/index.ts";
import type { Digest } from "../../src/index.ts";
import { planRetention, type DialectPolicy, type RetentionPolicy } from "../../src/policy/index.ts";

// A process of its own that plans retention for a big repository, and writes what that took: `own` or `ecr`, and how many images.
const [kind = "own", count = "20000"] = process.argv.slice(2);
const now = new Date("2026-11-20T12:00:00Z");
const minute = 60_000;
const hashed = (text: string): Digest => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** Images for two platforms, each with five tags; layers are shared as by builds on one base. */
function repository(images: number): Inventory {
  const manifests = new Map<Digest, Held>();
  const tags = new Map<string, Digest>();
  const base = Array.from({ length: 4 }, (_, i) => ({ digest: hashed(`base ${i}`), size: 20_000_000 }));
  for (let i = 0; i < images; i++) {
    const pushed = now.getTime() - i * 13 * minute;
    const version = `1.${i >> 8}.${i & 255}`;
    const names =
      i % 4 === 0
        ? [version, `v${version}`, `main-${i}`, `sha-${i.toString(16)}`, `rel-${i}`]
        : [`pr-${i}`, `pr-${i}-amd64`, `build-${i}`, `main-${i}`, `sha-${i.toString(16)}`];
    const children = ["amd64", "arm64"].map((platform): Held => ({
      digest: hashed(`${platform} ${i}`),
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      size: 1200,
      blobs: [...base, ...[0, 1].map((n) => ({ digest: hashed(`${platform} ${i} ${n}`), size: 1_000_000 }))],
      children: [],
      tags: [],
    }));
    const index: Held = {
      digest: hashed(`index ${i}`),
      mediaType: "application/vnd.oci.image.index.v1+json",
      size: 700,
      blobs: [],
      children: children.map(({ digest }) => digest),
      tags: names,
      pushed,
    };
    if (i % 1000 === 0) globalThis.gc?.();
    for (const held of [index, ...children]) manifests.set(held.digest, held);
    for (const name of names) tags.set(name, index.digest);
  }
  // In the order in which repositories are read.
  const sorted = <K extends string, V>(map: ReadonlyMap<K, V>): ReadonlyMap<K, V> =>
    new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    repository: "registry.example/app",
    manifests: sorted(manifests),
    tags: sorted(tags),
    listsUntagged: true,
    gaps: [],
  };
}

const own: RetentionPolicy = {
  version: 1,
  protect: ["latest"],
  rules: [
    { tags: ["semver:*"], keep: [{ newest: 3, by: "semver", per: "minor" }, { youngerThan: "90d" }] },
    { tags: ["pr-*", "build-*"], delete: { olderThan: "14d" } },
    { tags: ["main-*", "sha-*", "/^rel-\\d+$/"], keep: { newest: 50, per: "/^(\\w+)-/", youngerThan: "30d" } },
  ],
};
const selection = (more: object): object => ({ tagStatus: "tagged", countUnit: "days", ...more });
const ecr: DialectPolicy = {
  dialect: "ecr",
  document: {
    rules: [
      selection({ tagPatternList: ["pr-*"], countType: "sinceImagePushed", countNumber: 14 }),
      selection({ tagPatternList: ["main-*"], countType: "sinceImagePushed", countNumber: 30 }),
    ].map((one, i) => ({ rulePriority: i + 1, selection: one, action: { type: "expire" } })),
  },
};

const inventory = repository(Number(count));
globalThis.gc?.();
// Loading what `performance` is takes 10 ms of CPU, which are not of the plan.
const began = performance.now();
const before = process.cpuUsage();
const { steps, kept } = planRetention(kind === "ecr" ? ecr : own, { inventories: [inventory] }, now);
const { user, system } = process.cpuUsage(before);
const wall = performance.now() - began;
const memory = process.resourceUsage().maxRSS / 1000;
process.stdout.write(
  JSON.stringify({ cpu: (user + system) / 1000, wall, memory, steps: steps.length, kept: kept.length }),
);
