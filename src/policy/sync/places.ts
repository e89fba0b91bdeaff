import type { SyncRule } from "./parse.ts";

/** The places that rules name: a registry where a rule names repositories by a pattern, and a repository that stands for those that a destination makes. */
export function syncPlaces(rules: readonly SyncRule[]): {
  readonly from: readonly string[];
  readonly to: readonly string[];
} {
  const any = { place: "", registry: "registry", repository: "repository" };
  const digest = `sha256:${"0".repeat(64)}` as const;
  const from = rules.flatMap((rule) =>
    rule.from.map((one) => (one.kind === "place" ? one.origin.place : one.registry)),
  );
  const to = rules.flatMap((rule) => rule.to.map((template) => template.target(any, { tag: "any", digest }).place));
  return { from: [...new Set(from)], to: [...new Set(to)] };
}
