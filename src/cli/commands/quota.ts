import type { Allowance } from "../../index.ts";
import type { Run } from "../command.ts";
import type { Column } from "../render/table.ts";
import { formatSize, formatSpan } from "../render/text.ts";
import { listOrSay } from "../list-or-say.ts";
import { openHost } from "../service-place.ts";

const amount = (item: Allowance, count: number | undefined): string => {
  if (count === undefined) return "";
  return item.unit === "bytes" ? formatSize(count) : String(count);
};
const span = (seconds: number | undefined): string => (seconds === undefined ? "" : formatSpan(seconds * 1000));
const columns: readonly Column<Allowance>[] = [
  { title: "WHAT", value: (item) => item.what },
  {
    title: "LEFT",
    value: (item) => (item.unlimited ? "no limit" : amount(item, item.remaining)),
    right: true,
    ifTold: true,
  },
  { title: "USED", value: (item) => amount(item, item.used), right: true, ifTold: true },
  { title: "LIMIT", value: (item) => amount(item, item.limit), right: true, ifTold: true },
  { title: "FOR", value: (item) => span(item.windowSeconds), right: true, ifTold: true },
  { title: "ANEW IN", value: (item) => span(item.resetSeconds), right: true, ifTold: true },
  { title: "COUNTS", value: (item) => item.source ?? "", ifTold: true },
];

export const run: Run<[host: string]> = async ([place], cli) => {
  const { host, service } = await openHost(place, cli);
  const allowances = await service.allowances({ signal: cli.signal });
  await listOrSay(allowances, columns, `${host} tells of no limits`, cli);
};
