import { RegistryError, type Immutability } from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { detailedExitcode, dryRun } from "../options.ts";
import { immutabilityWords } from "../render/immutability.ts";
import { openRepository } from "../service-place.ts";
import { except, patterns, tagsAre } from "../table/service-options.ts";

export const run: Run<[repository: string]> = async ([place], cli) => {
  const { get, out, signal } = cli;
  const wanted = wantedBy(get);
  const { name, repository, service } = await openRepository(place, cli);
  const before = await service.immutability(repository, { signal });
  const result = { repository: name, before };
  if (get(dryRun)) {
    const text = `${name}: tags are ${immutabilityWords(before)}; they would be ${immutabilityWords(wanted)}\n`;
    await out.print({ ...result, done: false, ...wanted }, () => text);
    return get(detailedExitcode) && !isSame(before, wanted) ? "changes" : "done";
  }
  await service.setImmutability(repository, wanted, { signal });
  const after = await service.immutability(repository, { signal });
  await out.print(
    { ...result, done: true, ...after },
    () => `${name}: tags are ${immutabilityWords(after)}; they were ${immutabilityWords(before)}\n`,
  );
  if (after.tags === wanted.tags) return "done";
  cli.reporter.say(`${name}: the service took it, and yet says that tags are ${after.tags}`);
  return "failed";
};

function isSame(one: Immutability, other: Immutability): boolean {
  const essence = ({ tags, except = [] }: Immutability): string => JSON.stringify([tags, except.toSorted()]);
  return essence(one) === essence(other);
}

function wantedBy(get: Cli["get"]): Immutability {
  const tags = get(tagsAre);
  const [but, kind] = [get(except), get(patterns)];
  if (tags === undefined) {
    throw new RegistryError("INVALID", "what tags shall be is missing", {
      hint: "say --tags immutable or --tags mutable",
    });
  }
  if (kind !== undefined && but.length === 0)
    throw new RegistryError("INVALID", "--patterns says how --except is written, which is missing");
  return { tags, ...(but.length > 0 && { except: but }), ...(kind !== undefined && { patterns: kind }) };
}
