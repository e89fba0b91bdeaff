import { parseReference, RegistryError, type SearchResult } from "../../index.ts";
import type { Run } from "../command.ts";
import { hostOf } from "../host-or-image.ts";
import type { Column } from "../render/table.ts";
import { limit, searchFilters } from "../table/service-options.ts";

const columns: readonly Column<SearchResult>[] = [
  { title: "NAME", value: (item) => item.reference },
  { title: "DESCRIPTION", value: (item) => item.description ?? "", ifTold: true },
  { title: "STARS", value: (item) => item.stars?.toString() ?? "", right: true, ifTold: true },
  { title: "PULLS", value: (item) => item.pulls?.toString() ?? "", right: true, ifTold: true },
  { title: "OFFICIAL", value: (item) => (item.official ? "yes" : ""), ifTold: true },
];

export const run: Run<[term: string]> = async ([words], { get, client, out, signal }) => {
  const bare = words.replace(/^docker:\/\//, "");
  const slash = bare.indexOf("/");
  const named = slash < 0 ? undefined : hostOf(bare.slice(0, slash));
  const term = named === undefined ? bare : bare.slice(slash + 1);
  if (term === "") {
    throw new RegistryError("INVALID", "nothing is named to search for", {
      hint: named === undefined ? "write TERM or HOST/TERM" : `to list all there is: gantry repo list ${named}`,
    });
  }
  const host = named ?? parseReference("x").registry;
  const service = await (await client({ from: [host] })).service(host, { signal });
  const query = { term, limit: get(limit) ?? 25 };
  const filters = Object.assign({}, ...get(searchFilters)) as object;
  await out.list(service.search({ ...query, ...filters }, { signal }), columns);
};
