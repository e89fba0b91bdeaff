import { RegistryError } from "../index.ts";
import { planImmutability } from "../policy/index.ts";
import type { Cli } from "./cli.ts";
import type { ExitName } from "./exit-codes.ts";
import { offerPlan } from "./plans.ts";
import { openRepository } from "./service-place.ts";

/** Offers the plan to tell a repository's service which tags never move, as tags.immutable of the configuration says. */
export async function offerImmutability(place: string | undefined, cli: Cli): Promise<ExitName> {
  const patterns = (await cli.config()).values.tags?.immutable ?? [];
  if (place === undefined)
    throw new RegistryError("INVALID", "--set-immutability is for a repository, which is missing");
  if (patterns.length === 0) {
    throw new RegistryError("INVALID", "no tags never move: tags.immutable of the configuration is empty", {
      hint: "write tags: {immutable: ['semver:*']} into gantry.yaml",
    });
  }
  const client = await cli.client({ from: [place] });
  const { name, repository, service } = await openRepository(place, cli, client);
  const { tags, except, scope } = await service.immutability(repository, { signal: cli.signal });
  const { title, quirks } = service.provider;
  const state = {
    repository: name,
    service: title,
    before: { tags, ...(except && { except }), ...(scope !== undefined && { scope }) },
    ...(quirks.immutableTags && { form: quirks.immutableTags }),
  };
  return offerPlan(planImmutability(patterns, state, new Date()), cli, client);
}
