import { describe, expect, test } from "vitest";
import { Secret } from "../../../src/auth/secret.ts";
import { artifactRegistry } from "../../../src/provider/artifact-registry/provider.ts";
import type { Findings } from "../../../src/provider/service.ts";
import { recorded, serviceContext, type Exchange } from "../support.ts";

const host = "us-docker.pkg.dev";
const name = "example.com/p/r/app";
const digest = `sha256:${"a".repeat(64)}`;
const page = "https://cloud.google.com/artifact-analysis/docs/investigate-vulnerabilities";
const resource =
  "https://docs.cloud.google.com/artifact-analysis/docs/reference/rest/v1/projects.locations.occurrences";
const filter = `(kind="VULNERABILITY" OR kind="DISCOVERY") AND resourceUrl="https://${host}/${name}@${digest}"`;
const url = (token?: string): string => {
  const base = new URL("https://containeranalysis.googleapis.com/v1/projects/example.com%3Ap/occurrences");
  base.searchParams.set("filter", filter);
  base.searchParams.set("pageSize", "1000");
  if (token !== undefined) base.searchParams.set("pageToken", token);
  return base.href;
};

const discovery = (analysisStatus: string, more: object = {}, updateTime = "2024-01-02T00:00:00Z"): unknown => ({
  kind: "DISCOVERY",
  noteName: "projects/goog-analysis/notes/PACKAGE_VULNERABILITY",
  updateTime,
  discovery: { continuousAnalysis: "ACTIVE", analysisStatus, ...more },
});
const vulnerability = (id: string, more: object = {}): unknown => ({
  kind: "VULNERABILITY",
  noteName: `projects/goog-vulnz/notes/${id}`,
  vulnerability: { shortDescription: id, severity: "HIGH", ...more },
});

async function findings(...exchanges: readonly Omit<Exchange, "page">[]): Promise<{
  readonly found: Findings;
  readonly asked: readonly string[];
}> {
  const { transport, asked } = recorded(...exchanges.map((exchange) => ({ page, ...exchange })));
  const credential = { kind: "bearer", token: new Secret("token") } as const;
  const service = await artifactRegistry.connect(serviceContext(host, { transport, credential }));
  return { found: await service.findings(name, digest), asked };
}

const scan = async (...occurrences: readonly unknown[]): Promise<Findings> =>
  (await findings({ url: url(), answer: { occurrences } })).found;

describe("findings", () => {
  test(`are all that was found, in as few requests as there are pages (${resource})`, async () => {
    const { found, asked } = await findings(
      {
        url: url(),
        answer: {
          occurrences: [
            discovery("FINISHED_SUCCESS", { lastScanTime: "2024-01-02T00:00:00.5Z" }),
            vulnerability("CVE-2024-1", {
              effectiveSeverity: "LOW",
              relatedUrls: [{ url: "https://security-tracker.debian.org/tracker/CVE-2024-1", label: "More Info" }],
              packageIssue: [
                {
                  affectedPackage: "openssl",
                  affectedVersion: { epoch: 1, name: "3.0.1", revision: "2", kind: "NORMAL", fullName: "1:3.0.1-2" },
                  fixedVersion: { name: "3.0.2", revision: "1", kind: "NORMAL" },
                },
                {
                  affectedPackage: "libssl3",
                  affectedVersion: { epoch: 1, name: "3.0.1", kind: "NORMAL" },
                  fixedVersion: { kind: "MAXIMUM" },
                },
              ],
            }),
          ],
          nextPageToken: "two",
        },
      },
      { url: url("two"), answer: { occurrences: [vulnerability("CVE-2024-2", { severity: "MINIMAL" })] } },
    );
    const link = { id: "CVE-2024-1", severity: "low", url: "https://security-tracker.debian.org/tracker/CVE-2024-1" };
    expect(found).toEqual({
      status: "complete",
      scanner: "Artifact Analysis",
      scanned: "2024-01-02T00:00:00.500Z",
      counts: { low: 1, negligible: 1 },
      vulnerabilities: [
        { ...link, package: "openssl", installed: "1:3.0.1-2", fixed: "3.0.2-1" },
        { ...link, package: "libssl3", installed: "1:3.0.1" },
        { id: "CVE-2024-2", severity: "negligible" },
      ],
    });
    expect(asked).toHaveLength(2);
  });

  test.each([
    ["PENDING", "running"],
    ["SCANNING", "running"],
    ["COMPLETE", "complete"],
    ["FINISHED_FAILED", "failed"],
    ["FINISHED_UNSUPPORTED", "unsupported"],
    ["ANALYSIS_STATUS_UNSPECIFIED", "running"],
  ])("of a scan that says %s are %s", async (status, expected) => {
    expect(await scan(discovery(status))).toMatchObject({ status: expected, vulnerabilities: [] });
  });

  test("of what was never scanned are absent, and the last word of a scan counts", async () => {
    expect(await scan()).toMatchObject({ status: "absent", counts: {} });
    expect(await scan(vulnerability("CVE-2024-1"))).toMatchObject({ status: "complete", counts: { high: 1 } });
    const error = { analysisStatusError: { code: 3, message: "the layer\u0007cannot be read" } };
    const [early, late] = [
      discovery("FINISHED_SUCCESS", {}, "2024-01-01T00:00:00Z"),
      discovery("FINISHED_FAILED", error, "2024-02-01T00:00:00Z"),
    ];
    for (const order of [
      [early, late],
      [late, early],
    ]) {
      expect(await scan(...order)).toMatchObject({ status: "failed", note: "the layer cannot be read" });
    }
  });

  test("leave out what makes no sense, and print nothing as it came", async () => {
    const { vulnerabilities } = await scan(
      7,
      { kind: "VULNERABILITY", vulnerability: "text" },
      { kind: "VULNERABILITY", vulnerability: {} },
      vulnerability("CVE-\u001b[2J1", { severity: 9, relatedUrls: [{ url: "javascript:alert(1)" }], packageIssue: {} }),
    );
    expect(vulnerabilities).toEqual([{ id: "CVE- [2J1", severity: "unknown" }]);
  });

  test("of a tag are those of its image; of no image, none", async () => {
    const { transport, asked } = recorded({
      page,
      method: "HEAD",
      url: `https://${host}/v2/${name}/manifests/v1`,
      status: 404,
    });
    const service = await artifactRegistry.connect(serviceContext(host, { transport }));
    await expect(service.findings(name, "v1")).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN" });
    expect(asked).toHaveLength(1);
  });
});
