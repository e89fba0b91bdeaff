import type { RepositoryInfo } from "../../index.ts";
import type { Run } from "../command.ts";
import { servedRepositories, writeRepositories } from "../repositories.ts";
import { parseHostAndPrefix } from "../service-place.ts";
import { nameFilter } from "../table/service-options.ts";

export const run: Run<[place: string]> = async ([place], cli) => {
  const { host, prefix } = parseHostAndPrefix(place);
  const service = await (await cli.client({ from: [host] })).service(host, { signal: cli.signal });
  const filter = cli.get(nameFilter);
  const listed = servedRepositories(service, prefix, cli);
  return writeRepositories(host, filter ? fitting(listed, filter) : listed, cli);
};

async function* fitting(
  repositories: AsyncIterable<RepositoryInfo>,
  filter: RegExp,
): AsyncGenerator<RepositoryInfo, void> {
  for await (const info of repositories) if (filter.test(info.name)) yield info;
}
