import { formatFault, parseReference, RegistryError, version, type PromotedPlace, type Reference } from "../index.ts";
import type { Plan } from "../plan/index.ts";
import { stagesOf, targetAt, type PromotionPolicy, type Stage } from "../policy/index.ts";
import { actorOf } from "./actor.ts";
import type { Cli } from "./cli.ts";
import { stageFaultsIn } from "./config-fault.ts";
import type { ExitName } from "./exit-codes.ts";
import * as promote from "./table/promote-options.ts";

/** The stages of the configuration, by name. Throws INVALID, naming the place, for the first that is wrong. */
export async function stagesIn({ config }: Cli): Promise<ReadonlyMap<string, Stage>> {
  const found = await config();
  const [fault] = stageFaultsIn(found);
  if (fault) {
    throw new RegistryError("INVALID", formatFault(fault), { hint: fault.hint ?? "gantry config validate lists all" });
  }
  return stagesOf(found.values.promote?.stages ?? {});
}

/** What --to names: a stage, or a place. Throws INVALID for a word alone that is no stage. */
export function placeOrStage(text: string, stages: ReadonlyMap<string, Stage>): Stage | string {
  const stage = stages.get(text);
  if (stage) return stage;
  if (/[/:]/.test(text)) return text;
  throw noStage(text, stages);
}

function noStage(text: string, stages: ReadonlyMap<string, Stage>): RegistryError {
  const known = [...stages.keys()].join(", ");
  return new RegistryError("INVALID", `there is no stage ${JSON.stringify(text)}`, {
    hint:
      known === ""
        ? "name a place as HOST/REPOSITORY, or put stages into gantry.yaml, under promote"
        : `the stages are ${known}`,
  });
}

/**
 * What a word and --at name: a place and its tags; those of a stage, where the word is its name or --at says so. Throws INVALID
 * for a word alone that is no stage.
 */
export async function promotedPlace(text: string, cli: Cli): Promise<PromotedPlace> {
  const stages = await stagesIn(cli);
  const at = cli.get(promote.at);
  const named = at === undefined ? stages.get(text) : (stages.get(at) ?? undefined);
  if (at !== undefined && !named) throw noStage(at, stages);
  if (!named) {
    if (!/[/:@]/.test(text)) throw noStage(text, stages);
    const { tag, digest, ...bare } = parseReference(text);
    return { repository: repositoryOf(bare), ...(digest ? { digest } : tag !== undefined && { tags: [tag] }) };
  }
  // A stage whose places have no variables stands for itself.
  const reference = at === undefined ? placeholder : parseReference(text);
  const { repository, tags } = targetAt({ reference }, at === undefined ? bareStage(named) : named, {});
  return { repository, stage: named.name, tags: tags.map(({ tag }) => tag) };
}

const placeholder: Reference = { registry: "localhost", repository: "image" };

function bareStage(stage: Stage): Stage {
  const templates = stage.tags.length > 0 ? stage.tags : [/:([^/]*)$/.exec(stage.to)?.[1] ?? "{tag}"];
  const fixed = templates.filter((template) => !template.includes("{"));
  const [repository] = stage.to.split(/:(?=[^/]*$)/);
  if (!repository!.includes("{") && fixed.length > 0) return { ...stage, tags: fixed };
  throw new RegistryError("INVALID", `the stage ${stage.name} has a place, or tags, for each image`, {
    hint: `name one: IMAGE --at ${stage.name}`,
  });
}

const repositoryOf = ({ registry, repository }: Reference): string => `${registry}/${repository}`;

/** What the options say of a promotion or rollback as a whole. */
export function promotionPolicy({ get, places }: Cli, from: string): PromotionPolicy {
  const reason = get(promote.reason);
  return {
    who: actorOf(places.env, get(promote.by)),
    tool: `gantry ${version}`,
    force: get(promote.force),
    from,
    ...(reason !== undefined && { reason }),
  };
}

/** How a command ends whose plan leaves something out because it was refused. */
export const endingOf = (plan: Plan, ending: ExitName): ExitName =>
  plan.notes.some(({ level }) => level === "refused") ? "refused" : ending;
