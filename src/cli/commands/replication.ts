import type { ReplicationRule } from "../../index.ts";
import type { Run } from "../command.ts";
import type { Column } from "../render/table.ts";
import { listOrSay } from "../list-or-say.ts";
import { openHost } from "../service-place.ts";

const columns: readonly Column<ReplicationRule>[] = [
  { title: "RULE", value: (item) => item.name },
  { title: "FROM", value: (item) => item.from ?? "", ifTold: true },
  { title: "TO", value: (item) => item.to ?? "", ifTold: true },
  { title: "REPOSITORIES", value: (item) => item.filter ?? "", ifTold: true },
  { title: "WHEN", value: (item) => item.trigger ?? "", ifTold: true },
  { title: "ENABLED", value: (item) => (item.enabled ? "yes" : "no") },
];

export const run: Run<[host: string]> = async ([place], cli) => {
  const { host, service } = await openHost(place, cli);
  const rules = await Array.fromAsync(service.replication({ signal: cli.signal }));
  await listOrSay(rules, columns, `${host} has no rules of replication`, cli);
};
