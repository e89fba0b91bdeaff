import { RegistryError } from "../../oci/error.ts";
import type { GateSettings } from "./gate.ts";
import { checkTemplate } from "./template.ts";

/** An environment that images are promoted to: `staging`, `prod`. */
export interface Stage {
  readonly name: string;
  /** Its repositories: `registry.example/prod/{name}`, perhaps with a tag. */
  readonly to: string;
  /** Its tags, as templates; without, that of `to`, or else the image's own. */
  readonly tags: readonly string[];
  /** The stage that has to have an image first. */
  readonly from?: string;
  readonly gates: GateSettings;
}

/** Stages as the configuration has them, by name. */
export type StageSettings = Readonly<Record<string, Partial<Omit<Stage, "name">> | undefined>>;

/** Reads the stages of a configuration. Throws INVALID where one leads nowhere, or in a circle. */
export function stagesOf(settings: StageSettings): ReadonlyMap<string, Stage> {
  const stages = new Map<string, Stage>();
  for (const [name, said] of Object.entries(settings)) {
    const { to, tags = [], from, gates = {} } = said ?? {};
    if (to === undefined) throw wrong(name, "to", "is missing: it says where the images of this stage are");
    checkTemplate(to, `promote.stages.${name}.to`);
    for (const tag of tags) checkTemplate(tag, `promote.stages.${name}.tags`);
    stages.set(name, { name, to, tags, gates, ...(from !== undefined && { from }) });
  }
  for (const { name, from } of stages.values()) {
    if (from !== undefined && !stages.has(from))
      throw wrong(name, "from", `names ${JSON.stringify(from)}, which is no stage`);
    const seen = new Set([name]);
    for (let before = from; before !== undefined; before = stages.get(before)?.from) {
      if (seen.has(before)) throw wrong(name, "from", `leads in a circle: ${[...seen, before].join(", ")}`);
      seen.add(before);
    }
  }
  return stages;
}

function wrong(stage: string, key: string, what: string): RegistryError {
  return new RegistryError("INVALID", `promote.stages.${stage}.${key} ${what}`);
}
