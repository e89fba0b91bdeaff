import { commandGate, parseLocation, readPromotions, RegistryError } from "../../index.ts";
import { fillPlace, planPromotion, type Stage } from "../../policy/index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { nameOf, readText } from "../documents.ts";
import { immutableTags } from "../immutable.ts";
import { offerPlan } from "../plans.ts";
import { endingOf, placeOrStage, promotionPolicy, stagesIn } from "../promotions.ts";
import * as promote from "../table/promote-options.ts";

export const run: Run<[images: string[]]> = async ([typed], cli) => {
  const { get, signal, places } = cli;
  const stages = await stagesIn(cli);
  const to = get(promote.to).map((text) => placeOrStage(text, stages));
  const namedAt = await listed(cli);
  const images = [...typed, ...namedAt.keys()];
  if (to.length === 0) throw new RegistryError("INVALID", "nothing says where to: --to PLACE");
  if (images.length === 0) throw new RegistryError("INVALID", "no image is named");
  const [match, tags] = [get(promote.match), get(promote.tags)];
  const client = await cli.client(sidesOf(images, to, stages));
  const immutable = await immutableTags(cli);
  const now = (): Date => new Date();
  const promotions = await readPromotions(
    client,
    {
      images: [...new Set(images)],
      namedAt,
      to,
      stages,
      tags,
      semverTags: get(promote.semverTags),
      ...(match !== undefined && { match }),
      ...(immutable && { immutable }),
      gates: {
        approvals: get(promote.approve),
        run: (name, words, timeout) => commandGate(name, words, timeout, { env: places.env, cwd: places.cwd }),
      },
      now,
    },
    { signal },
  );
  const where = to.map((one) => (typeof one === "string" ? one : one.name)).join(", ");
  const plan = planPromotion(promotionPolicy(cli, `promote to ${where}`), promotions, now());
  return endingOf(plan, await offerPlan(plan, cli, client));
};

/** The images of --file, and where each stands: one a line; what follows a # is for people. */
async function listed({ get, stdin }: Cli): Promise<ReadonlyMap<string, string>> {
  const file = get(promote.list);
  if (file === undefined) return new Map();
  const name = nameOf(file);
  const text = await readText(file, name, stdin);
  const images = new Map<string, string>();
  for (const [i, line] of text.split("\n").entries()) {
    const [image, at] = [line.replace(/(?:^|\s)#.*/, "").trim(), `${name}:${i + 1}`];
    if (image === "" || images.has(image)) continue;
    expectImage(image, at);
    images.set(image, at);
  }
  if (images.size === 0) throw new RegistryError("INVALID", `${name} names no image`);
  return images;
}

/** Throws INVALID, naming the place, for what is no image in a registry. */
function expectImage(text: string, at: string): void {
  try {
    if (parseLocation(text).transport === "registry") return;
  } catch (cause) {
    const { message, hint } = cause as RegistryError;
    throw new RegistryError("INVALID", `${at}: ${message}`, { cause, ...(hint && { hint }) });
  }
  throw new RegistryError("INVALID", `${at}: ${text} is in no registry`, {
    hint: "copy it into one first: gantry copy",
  });
}

/** The repositories that are read alone, and those that are written: logins are given for the one side or the other. */
function sidesOf(
  images: readonly string[],
  to: readonly (Stage | string)[],
  stages: ReadonlyMap<string, Stage>,
): { from: readonly string[]; to: readonly string[] } {
  const references = images.map(parseLocation).flatMap((one) => (one.transport === "registry" ? one.reference : []));
  const at = (one: Stage | string): readonly string[] =>
    references.flatMap((reference) => fillPlace(typeof one === "string" ? one : one.to, reference) ?? []);
  const before = to.flatMap((one) =>
    typeof one === "string" || one.from === undefined ? [] : at(stages.get(one.from)!),
  );
  return { from: [...images, ...before], to: to.flatMap(at) };
}
