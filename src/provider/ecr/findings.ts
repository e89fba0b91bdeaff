import type {
  DescribeImageScanFindingsResponse,
  EnhancedImageScanFinding,
  ImageScanFinding,
  ImageScanFindings,
} from "@aws-sdk/client-ecr";
import { isDigest } from "../../oci/digest.ts";
import type { Call } from "../../store/store.ts";
import { plainText } from "../../store/remote/answer.ts";
import { isAws } from "../aws/error.ts";
import { momentOf } from "../aws/images.ts";
import type { Findings, Severity, Vulnerability } from "../service.ts";
import type { Ecr } from "./api.ts";

const pageSize = 1000;
const never: Findings = { status: "absent", counts: {}, vulnerabilities: [] };

/** What the scanner found: ECR's own, or Inspector where enhanced scanning is on. */
export async function findings(
  { sdk, pages, registry, host }: Ecr,
  repository: string,
  ref: string,
  call?: Call,
): Promise<Findings> {
  const imageId = isDigest(ref) ? { imageDigest: ref } : { imageTag: ref };
  const question = {
    what: `read the scan findings of ${host}/${repository}${isDigest(ref) ? "@" : ":"}${ref}`,
    action: "ecr:DescribeImageScanFindings",
  };
  const all = pages(
    question,
    (nextToken, options): Promise<DescribeImageScanFindingsResponse> =>
      sdk
        .describeImageScanFindings(
          {
            ...registry,
            repositoryName: repository,
            imageId,
            maxResults: pageSize,
            ...(nextToken !== undefined && { nextToken }),
          },
          options,
        )
        .catch((error: unknown) => {
          if (isAws(error, "ScanNotFoundException")) return {};
          throw error;
        }),
    call,
  );
  const vulnerabilities: Vulnerability[] = [];
  let first: DescribeImageScanFindingsResponse | undefined;
  for await (const page of all) {
    first ??= page;
    vulnerabilities.push(...(page.imageScanFindings?.findings ?? []).flatMap(basicOf));
    vulnerabilities.push(...(page.imageScanFindings?.enhancedFindings ?? []).flatMap(enhancedOf));
  }
  const { imageScanStatus: { status, description } = {}, imageScanFindings } = first ?? {};
  if (status === undefined) return never;
  const isEnhanced = status === "ACTIVE" || imageScanFindings?.enhancedFindings !== undefined;
  const scanned = momentOf(imageScanFindings?.imageScanCompletedAt);
  return {
    status: statuses[status] ?? "failed",
    ...(description && { note: plainText(description) }),
    scanner: isEnhanced ? "Amazon Inspector" : "Amazon ECR basic scanning",
    ...(scanned !== undefined && { scanned }),
    counts: countsOf(imageScanFindings),
    vulnerabilities,
  };
}

const statuses: Readonly<Record<string, Findings["status"]>> = {
  COMPLETE: "complete",
  ACTIVE: "complete",
  IN_PROGRESS: "running",
  PENDING: "running",
  FAILED: "failed",
  LIMIT_EXCEEDED: "failed",
  UNSUPPORTED_IMAGE: "unsupported",
  IMAGE_SIZE_EXCEEDED: "unsupported",
  IMAGE_ARCHIVED: "unsupported",
  SCAN_ELIGIBILITY_EXPIRED: "absent",
  FINDINGS_UNAVAILABLE: "absent",
};

const severities: Readonly<Record<string, Severity>> = {
  CRITICAL: "critical",
  HIGH: "high",
  MEDIUM: "medium",
  LOW: "low",
  INFORMATIONAL: "negligible",
};

function severityOf(text: string | undefined): Severity {
  return (text !== undefined && Object.hasOwn(severities, text) && severities[text]) || "unknown";
}

function countsOf(found: ImageScanFindings | undefined): Findings["counts"] {
  const counts: Partial<Record<Severity, number>> = {};
  for (const [name, count = 0] of Object.entries(found?.findingSeverityCounts ?? {})) {
    const severity = severityOf(name);
    counts[severity] = (counts[severity] ?? 0) + count;
  }
  return counts;
}

function basicOf({ name, severity, uri, description, attributes = [] }: ImageScanFinding): Vulnerability[] {
  if (!name) return [];
  const attribute = (key: string): string | undefined => attributes.find((one) => one.key === key)?.value;
  return [
    vulnerability(name, severity, {
      package: attribute("package_name"),
      installed: attribute("package_version"),
      title: description,
      url: uri,
    }),
  ];
}

/** One for each package that has it: that is what is to be updated. */
function enhancedOf(finding: EnhancedImageScanFinding): Vulnerability[] {
  const { title, severity, packageVulnerabilityDetails: details } = finding;
  const id = details?.vulnerabilityId ?? title;
  if (!id) return [];
  const packages = details?.vulnerablePackages?.length ? details.vulnerablePackages : [{}];
  return packages.map(({ name, version, release, fixedInVersion }) =>
    vulnerability(id, severity, {
      package: name,
      installed: version && release ? `${version}-${release}` : version,
      fixed: fixedInVersion === "NotAvailable" ? undefined : fixedInVersion,
      title,
      url: details?.sourceUrl,
    }),
  );
}

type Words = Record<"package" | "installed" | "fixed" | "title" | "url", string | undefined>;

function vulnerability(id: string, severity: string | undefined, words: Partial<Words>): Vulnerability {
  const said = Object.entries(words).flatMap(([key, text]) => (text ? [[key, plainText(text)]] : []));
  return { id: plainText(id), severity: severityOf(severity), ...(Object.fromEntries(said) as Partial<Vulnerability>) };
}
