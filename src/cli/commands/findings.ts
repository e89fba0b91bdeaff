import type { Findings, Severity, Vulnerability } from "../../index.ts";
import type { Run } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { fields, table, type Column } from "../render/table.ts";
import { formatMoment, type Look } from "../render/text.ts";
import { openServedImage } from "../service-place.ts";
import { severity } from "../table/service-options.ts";

/** What a scan found, of the severities that were asked for. */
interface Report extends Findings {
  readonly name: string;
}

export const run: Run<[reference: string]> = async ([place], cli) => {
  const { get, out, reporter, signal } = cli;
  const { name: repository, service, repository: path, ref } = await openServedImage(place, cli);
  const found = await service.findings(path, ref, { signal });
  const wanted = get(severity);
  const vulnerabilities = found.vulnerabilities
    .filter((one) => wanted.length === 0 || wanted.includes(one.severity))
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const name = `${repository}${ref.includes(":") ? "@" : ":"}${ref}`;
  await out.print<Report>({ name, ...found, vulnerabilities }, reportText);
  if (found.status !== "complete")
    reporter.say(`${name}: ${statuses[found.status]}${found.note ? `: ${found.note}` : ""}`);
  return endings[found.status];
};

/** The worst first. */
const severities: readonly Severity[] = ["critical", "high", "medium", "low", "negligible", "unknown"];
const statuses: Readonly<Record<Findings["status"], string>> = {
  complete: "scanned",
  running: "the scan is not done yet",
  absent: "it was not scanned",
  unsupported: "the service does not scan such an image",
  failed: "the scan failed",
};
/** No findings are not the same as none found. */
const endings: Readonly<Record<Findings["status"], ExitName>> = {
  complete: "done",
  running: "notFound",
  absent: "notFound",
  unsupported: "failed",
  failed: "failed",
};
const columns: readonly Column<Vulnerability>[] = [
  { title: "SEVERITY", value: (item) => item.severity },
  { title: "ID", value: (item) => item.id },
  { title: "PACKAGE", value: (item) => item.package ?? "", ifTold: true },
  { title: "INSTALLED", value: (item) => item.installed ?? "", ifTold: true },
  { title: "FIXED", value: (item) => item.fixed ?? "", ifTold: true },
  { title: "TITLE", value: (item) => item.title ?? "", ifTold: true },
];

function reportText({ name, status, scanner, scanned, counts, vulnerabilities }: Report, look: Look): string {
  if (status !== "complete") return "";
  const known = severities.flatMap((one) => (counts[one] ? [`${counts[one]} ${one}`] : []));
  const head = fields(
    [
      ["Image", name],
      ["Scanner", scanner],
      ["Scanned", formatMoment(scanned)],
      ["Found", known.join(", ") || "nothing"],
    ],
    look,
  );
  return vulnerabilities.length > 0 ? `${head}\n${table(vulnerabilities, columns, look)}` : head;
}
