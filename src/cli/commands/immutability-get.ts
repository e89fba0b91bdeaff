import type { Run } from "../command.ts";
import { immutabilityWords } from "../render/immutability.ts";
import { openRepository } from "../service-place.ts";

export const run: Run<[repository: string]> = async ([place], cli) => {
  const { name, repository, service } = await openRepository(place, cli);
  const found = await service.immutability(repository, { signal: cli.signal });
  await cli.out.print({ repository: name, ...found }, () => `${name}: tags are ${immutabilityWords(found)}\n`);
};
