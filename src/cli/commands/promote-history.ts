import { readHistory, type AttachedReceipt } from "../../index.ts";
import type { Run } from "../command.ts";
import { listOrSay } from "../list-or-say.ts";
import { promotedPlace } from "../promotions.ts";
import { formatMoment, shortDigest } from "../render/text.ts";
import type { Column } from "../render/table.ts";

const columns: readonly Column<AttachedReceipt>[] = [
  { title: "WHEN", value: ({ receipt }) => formatMoment(receipt.when) },
  { title: "WHAT", value: ({ receipt }) => receipt.kind },
  { title: "STAGE", value: ({ receipt }) => receipt.stage ?? "", ifTold: true },
  { title: "TAGS", value: ({ receipt }) => receipt.tags.map(({ tag }) => tag).join(", ") },
  { title: "IMAGE", value: ({ receipt }) => shortDigest(receipt.digest) },
  { title: "VERSION", value: ({ receipt }) => receipt.release ?? "", ifTold: true },
  { title: "FROM", value: ({ receipt }) => receipt.from.replace(/@.*/, "") },
  { title: "WHO", value: ({ receipt }) => receipt.who.name },
  { title: "GATES", value: ({ receipt }) => receipt.gates.map(({ gate }) => gate).join(", "), ifTold: true },
];

export const run: Run<[place: string]> = async ([text], cli) => {
  const place = await promotedPlace(text, cli);
  const client = await cli.client({ from: [place.repository] });
  const history = await readHistory(client, place, { signal: cli.signal });
  const shown = history.map(({ artifact, receipt }) => ({ artifact, receipt }));
  await listOrSay(shown, columns, `no receipt tells of a promotion to ${text}`, cli);
};
