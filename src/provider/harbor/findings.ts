import { isObject } from "../../oci/descriptor.ts";
import type { Call } from "../../store/store.ts";
import type { Findings, Severity, Vulnerability } from "../service.ts";
import type { OpenHarbor } from "./api.ts";
import { defined, fieldsIn, momentIn, objects, textIn, type Fields } from "./fields.ts";
import { imagePath } from "./images.ts";

/** The reports that we read: the newer one is of the same form, and preferred. */
const reports: Readonly<Record<string, string>> = {
  "x-accept-vulnerabilities":
    "application/vnd.security.vulnerability.report; version=1.1, application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0",
};

/** What the scanner of a project found in an image: its state first, then the report. */
export async function harborFindings(
  open: OpenHarbor,
  repository: string,
  ref: string,
  call: Call = {},
): Promise<Findings> {
  const harbor = open(repository);
  const request = {
    ...call,
    what: `read the scan of ${repository}${ref.includes(":") ? "@" : ":"}${ref}`,
    headers: reports,
    absent: "MANIFEST_UNKNOWN" as const,
  };
  const path = imagePath(repository, ref);
  const artifact = await harbor.object(path, { ...request, query: { with_scan_overview: "true", with_tag: "false" } });
  const overview = firstOf(fieldsIn(artifact, "scan_overview"));
  const status = statusOf(artifact, overview);
  const note = overview && textIn(overview, "scan_status");
  const scanned = overview && momentIn(overview, "end_time");
  const scanner = overview && scannerOf(overview);
  const about = defined<Pick<Findings, "note" | "scanned" | "scanner">>({
    note: status === "complete" ? undefined : note,
    scanned,
    scanner,
  });
  if (status !== "complete") return { status, ...about, counts: {}, vulnerabilities: [] };
  const report = firstOf(await harbor.object(`${path}/additions/vulnerabilities`, request)) ?? {};
  const vulnerabilities = objects(report["vulnerabilities"]).flatMap((fields) => vulnerabilityOf(fields) ?? []);
  return { status, ...about, counts: countsOf(vulnerabilities), vulnerabilities };
}

/** Overviews and reports are under their media type; one is asked for at a time. */
function firstOf(fields: Fields): Fields | undefined {
  return Object.values(fields).find(isObject);
}

/** An image that no scanner takes has no link to its vulnerabilities. */
function statusOf(artifact: Fields, overview: Fields | undefined): Findings["status"] {
  const told = overview && textIn(overview, "scan_status");
  if (told === "Success") return "complete";
  if (told === "Pending" || told === "Scheduled" || told === "Running") return "running";
  if (told === "Error" || told === "Stopped") return "failed";
  const links = artifact["addition_links"];
  return isObject(links) && !("vulnerabilities" in links) ? "unsupported" : "absent";
}

function scannerOf(fields: Fields): string | undefined {
  const scanner = fieldsIn(fields, "scanner");
  return [textIn(scanner, "name"), textIn(scanner, "version")].filter(Boolean).join(" ") || undefined;
}

const severities: ReadonlySet<string> = new Set<Severity>(["critical", "high", "medium", "low", "negligible"]);

function severityIn(fields: Fields): Severity {
  const told = textIn(fields, "severity")?.toLowerCase() ?? "";
  return severities.has(told) ? (told as Severity) : "unknown";
}

function vulnerabilityOf(fields: Fields): Vulnerability | undefined {
  const id = textIn(fields, "id");
  if (id === undefined) return undefined;
  const links = fields["links"];
  const url = Array.isArray(links)
    ? links.find((link): link is string => typeof link === "string" && /^https?:\/\/[^\s\p{Cc}]+$/u.test(link))
    : undefined;
  return defined<Vulnerability>({
    id,
    severity: severityIn(fields),
    package: textIn(fields, "package"),
    installed: textIn(fields, "version"),
    fixed: textIn(fields, "fix_version"),
    title: textIn(fields, "description"),
    url,
  });
}

function countsOf(vulnerabilities: readonly Vulnerability[]): Findings["counts"] {
  const counts: Partial<Record<Severity, number>> = {};
  for (const { severity } of vulnerabilities) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
}
