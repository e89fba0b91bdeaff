import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { GateSettings } from "./gate.ts";
import { targetOf } from "./target.ts";
import { checkTemplate, type Origin } from "./template.ts";

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

/** What is wrong with a key of a stage. */
export interface StageFault {
  readonly stage: string;
  readonly key: "to" | "tags" | "from";
  readonly error: RegistryError;
}

/** Reads the stages of a configuration. Throws INVALID where one leads nowhere, or in a circle. */
export function stagesOf(settings: StageSettings): ReadonlyMap<string, Stage> {
  const [fault] = stageFaults(settings);
  if (fault) throw fault.error;
  return new Map(
    Object.entries(settings).map(([name, said]) => {
      const { to, tags = [], from, gates = {} } = said ?? {};
      return [name, { name, to: to!, tags, gates, ...(from !== undefined && { from }) }];
    }),
  );
}

/** All for which `stagesOf` would refuse the stages of a configuration. */
export function stageFaults(settings: StageSettings): readonly StageFault[] {
  const stages = new Map(Object.entries(settings));
  return [...stages].flatMap(([stage, said]) => {
    const { to, tags = [] } = said ?? {};
    const place = faultIn(stage, "to", (at) => checkPlace(to, at));
    // Of a place that is wrong, each tag would be refused for the same.
    const named = place.length > 0 ? [] : tags.flatMap((tag) => faultIn(stage, "tags", (at) => checkTag(tag, at, to!)));
    return [...place, ...named, ...faultIn(stage, "from", (at) => checkOrder(stage, at, stages))];
  });
}

function faultIn(stage: string, key: StageFault["key"], check: (at: string) => void): readonly StageFault[] {
  const at = `promote.stages.${stage}.${key}`;
  try {
    check(at);
    return [];
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    const { message } = error;
    return [{ stage, key, error: message.startsWith(at) ? error : new RegistryError("INVALID", `${at}: ${message}`) }];
  }
}

/** An image that has all that a template may name. */
const sample: Origin = { reference: { registry: "localhost", repository: "image", tag: "1.2.3" } };

function checkPlace(to: string | undefined, at: string): void {
  if (to === undefined)
    throw new RegistryError("INVALID", `${at} is missing: it says where the images of this stage are`);
  checkTemplate(to, at);
  targetOf(sample, to);
}

function checkTag(tag: string, at: string, to: string): void {
  checkTemplate(tag, at);
  targetOf(sample, to, { tags: [tag] });
}

function checkOrder(stage: string, at: string, stages: ReadonlyMap<string, StageSettings[string]>): void {
  const from = stages.get(stage)?.from;
  if (from !== undefined && !stages.has(from))
    throw new RegistryError("INVALID", `${at} names ${JSON.stringify(from)}, which is no stage`);
  const seen = new Set([stage]);
  for (let before = from; before !== undefined; before = stages.get(before)?.from) {
    if (seen.has(before))
      throw new RegistryError("INVALID", `${at} leads in a circle: ${[...seen, before].join(", ")}`);
    seen.add(before);
  }
}
