import { isObject } from "../../oci/descriptor.ts";
import { isDigest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { Call } from "../../store/store.ts";
import type { ServiceContext } from "../provider.ts";
import type { Findings, Severity, Vulnerability } from "../service.ts";
import { nextPage, type GoogleApis } from "./api.ts";
import { moment } from "./listing.ts";
import { projectId, splitProject } from "./place.ts";

type Part = Readonly<Record<string, unknown>>;

const pageSize = 1000;
const scanner = "Artifact Analysis";
const severities: Readonly<Record<string, Severity>> = {
  CRITICAL: "critical",
  HIGH: "high",
  MEDIUM: "medium",
  LOW: "low",
  MINIMAL: "negligible",
};
const statuses: Readonly<Record<string, Findings["status"]>> = {
  PENDING: "running",
  SCANNING: "running",
  COMPLETE: "complete",
  FINISHED_SUCCESS: "complete",
  FINISHED_FAILED: "failed",
  FINISHED_UNSUPPORTED: "unsupported",
};

/** What Artifact Analysis found in an image, and how far it is: all its occurrences that tell of either, a thousand a request. */
export async function readFindings(
  { host, registry }: Pick<ServiceContext, "host" | "registry">,
  apis: GoogleApis,
  [repository, ref]: readonly [repository: string, ref: string],
  call: Call = {},
): Promise<Findings> {
  const digest = isDigest(ref) ? ref : (await registry.repository(repository).head(ref, call))?.digest;
  if (!digest) throw new RegistryError("MANIFEST_UNKNOWN", `there is no ${host}/${repository}:${ref}`, { host });
  const { project } = splitProject(repository);
  const api = await apis("analysis", repository, call);
  const filter = `(kind="VULNERABILITY" OR kind="DISCOVERY") AND resourceUrl="https://${host}/${repository}@${digest}"`;
  const request = { ...call, what: `read the findings of ${host}/${repository}@${digest}`, next: nextPage };
  const path = `/projects/${encodeURIComponent(projectId(project))}/occurrences`;
  const occurrences: Part[] = [];
  for await (const { body } of api.pages(path, { ...request, query: { filter, pageSize } })) {
    const items: unknown = isObject(body) ? body["occurrences"] : undefined;
    if (Array.isArray(items)) occurrences.push(...items.filter(isObject));
  }
  return summary(occurrences);
}

function summary(occurrences: readonly Part[]): Findings {
  const vulnerabilities = occurrences.flatMap(vulnerabilitiesIn);
  const counts: Partial<Record<Severity, number>> = {};
  for (const { severity } of new Map(vulnerabilities.map((one) => [one.id, one])).values()) {
    counts[severity] = (counts[severity] ?? 0) + 1;
  }
  return { ...scanOf(occurrences, vulnerabilities.length > 0), scanner, counts, vulnerabilities };
}

/** How far the scan is: the scan that said so last counts. */
function scanOf(occurrences: readonly Part[], hasFound: boolean): Pick<Findings, "status" | "note" | "scanned"> {
  const [last] = occurrences
    .flatMap(({ discovery, updateTime }) => (isObject(discovery) ? [{ discovery, at: moment(updateTime) ?? "" }] : []))
    .toSorted((a, b) => b.at.localeCompare(a.at));
  if (!last) return { status: hasFound ? "complete" : "absent" };
  const { analysisStatus, analysisStatusError, lastScanTime } = last.discovery;
  const message = isObject(analysisStatusError) ? analysisStatusError["message"] : undefined;
  const scanned = moment(lastScanTime);
  return {
    status: statuses[String(analysisStatus)] ?? (hasFound ? "complete" : "running"),
    ...(typeof message === "string" && message !== "" && { note: plainText(message) }),
    ...(scanned !== undefined && { scanned }),
  };
}

/** One for each package that an occurrence is about. */
function vulnerabilitiesIn({ vulnerability, noteName }: Part): readonly Vulnerability[] {
  if (!isObject(vulnerability)) return [];
  const { packageIssue, shortDescription, relatedUrls } = vulnerability;
  const id = text(shortDescription) ?? text(noteName)?.split("/").at(-1);
  if (id === undefined) return [];
  const issues = Array.isArray(packageIssue) ? packageIssue.filter(isObject) : [];
  const [link] = Array.isArray(relatedUrls) ? relatedUrls.filter(isObject) : [];
  const url = text(link?.["url"]);
  return (issues.length > 0 ? issues : [{}]).map((issue: Part) => {
    const [name, installed, fixed] = [
      text(issue["affectedPackage"]),
      version(issue["affectedVersion"]),
      version(issue["fixedVersion"]),
    ];
    return {
      id,
      severity: severityOf(vulnerability["effectiveSeverity"], vulnerability["severity"]),
      ...(name !== undefined && { package: name }),
      ...(installed !== undefined && { installed }),
      ...(fixed !== undefined && { fixed }),
      ...(url !== undefined && /^https?:\/\//.test(url) && { url }),
    };
  });
}

/** The distribution's judgement, where there is one, counts before the general one. */
function severityOf(...told: readonly unknown[]): Severity {
  return told.map((one) => severities[String(one)]).find((one) => one !== undefined) ?? "unknown";
}

/** A version of kind MAXIMUM is none: it stands for "not mended yet". */
function version(value: unknown): string | undefined {
  if (!isObject(value) || value["kind"] === "MAXIMUM" || value["kind"] === "MINIMUM") return undefined;
  const { epoch, name, revision } = value;
  const before = typeof epoch === "number" && epoch > 0 ? `${epoch}:` : "";
  const after = text(revision) === undefined ? "" : `-${text(revision)}`;
  return text(value["fullName"]) ?? (text(name) === undefined ? undefined : `${before}${text(name)}${after}`);
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? plainText(value) : undefined;
