import { describe, expect, test } from "vitest";
import { fault } from "./aws.ts";
import { sha } from "./aws-answers.ts";
import { host, thrown, using } from "./ecr-registry.ts";

describe("what it tells", () => {
  test("repositories by their start, with immutability", async () => {
    const { service } = await using({});
    const info = {
      name: "team/app",
      created: "2023-11-14T22:13:20.000Z",
      visibility: "private",
      immutability: { tags: "immutable", except: ["dev-*"], patterns: "wildcard" },
    };
    expect(await Array.fromAsync(service.listRepositories("team/"))).toEqual([info]);
    expect(await Array.fromAsync(service.repositories("other/"))).toEqual([]);
    expect(await service.describeRepository("team/app")).toEqual(info);
    expect(await service.immutability("team/app")).toEqual(info.immutability);
  });

  test("images with times, sizes, subjects, those in the archive too", async () => {
    const { service, calls } = await using({});
    expect(await Array.fromAsync(service.images("team/app"))).toEqual([
      {
        digest: sha("a"),
        tags: ["v1", "latest"],
        pushed: "2023-11-14T22:13:20.000Z",
        pulled: "2023-11-14T22:15:00.000Z",
        size: 1234,
        sizeKind: "largest child",
        mediaType: "application/vnd.oci.image.index.v1+json",
      },
      {
        digest: sha("b"),
        tags: [],
        size: 12,
        sizeKind: "manifest",
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        artifactType: "application/vnd.example.sbom",
        subject: sha("a"),
        state: "archived",
      },
    ]);
    expect(calls.map(({ request }) => request)).toEqual([
      { registryId: "123456789012", repositoryName: "team/app", maxResults: 1000, filter: { imageStatus: "ANY" } },
    ]);
  });

  test("ten pages of images take ten requests, and the first rows come after the first", async () => {
    const page = (request: Readonly<Record<string, unknown>>): unknown => {
      const number = Number(request["nextToken"] ?? 1);
      const imageDetails = [{ imageDigest: sha(number.toString(16)), imageTags: [`v${number}`] }];
      return { imageDetails, ...(number < 10 && { nextToken: String(number + 1) }) };
    };
    const { service, calls } = await using({ DescribeImages: page });
    const images = service.images("team/app")[Symbol.asyncIterator]();
    expect((await images.next()).value).toMatchObject({ tags: ["v1"] });
    expect(calls).toHaveLength(1);
    let more = 1;
    while (!(await images.next()).done) more++;
    expect([more, calls.length]).toEqual([10, 10]);
  });

  test("pages that lead in a circle end", async () => {
    let answered = 0;
    const { service } = await using({
      DescribeImages: () => ({ imageDetails: [], nextToken: answered++ % 2 ? "a" : "b" }),
    });
    expect(await thrown(Array.fromAsync(service.images("team/app")))).toMatchObject({ code: "NETWORK", host });
    expect(answered).toBe(3);
  });

  test("values that no registry has are left out", async () => {
    const imageDetails = [
      { imageDigest: "sha256:short", imageTags: ["v1"] },
      {
        imageDigest: sha("a"),
        imageTags: ["ok", "no/tag", "\u001b[31m"],
        imageSizeInBytes: -5,
        imageManifestMediaType: "x/y\u0007",
        subjectManifestDigest: "no",
      },
    ];
    const { service } = await using({
      DescribeImages: () => ({ imageDetails }),
      DescribeRepositories: () => ({
        repositories: [{ repositoryName: "../evil" }, { repositoryName: "a\u001b/b" }, {}],
      }),
    });
    expect(await Array.fromAsync(service.images("team/app"))).toEqual([{ digest: sha("a"), tags: ["ok"] }]);
    expect(await Array.fromAsync(service.listRepositories())).toEqual([]);
  });

  test("labels, and replication with a row for each destination", async () => {
    const { service } = await using({});
    expect(await service.labels("team/app")).toEqual({ team: "platform" });
    expect(await Array.fromAsync(service.replication())).toEqual([
      { name: "rule 1", to: "eu-central-1", filter: "prod/*", enabled: true, trigger: "push" },
      { name: "rule 1", to: "999999999999 in eu-west-1", filter: "prod/*", enabled: true, trigger: "push" },
    ]);
  });

  test("a login of another account is told", async () => {
    const { service } = await using({ DescribeRegistry: () => ({ registryId: "999999999999" }) });
    const error = await thrown(Array.fromAsync(service.replication()));
    expect(error).toMatchObject({ code: "DENIED", message: expect.stringContaining("999999999999") as string });
  });
});

describe("findings", () => {
  test("of Inspector: one for each package", async () => {
    const { service } = await using({});
    expect(await service.findings("team/app", "v1")).toEqual({
      status: "complete",
      note: "Continuous scan is selected for image.",
      scanner: "Amazon Inspector",
      counts: { critical: 1, negligible: 2, unknown: 7 },
      vulnerabilities: [
        {
          id: "CVE-2024-1",
          severity: "critical",
          package: "openssl",
          installed: "3.0.1-2",
          fixed: "3.0.2",
          title: "CVE-2024-1 - openssl",
          url: "https://example.test/CVE-2024-1",
        },
        {
          id: "CVE-2024-1",
          severity: "critical",
          package: "libssl",
          installed: "3.0.1",
          title: "CVE-2024-1 - openssl",
          url: "https://example.test/CVE-2024-1",
        },
      ],
    });
  });

  test.each([
    ["PENDING", "running"],
    ["FAILED", "failed"],
    ["UNSUPPORTED_IMAGE", "unsupported"],
    ["SCAN_ELIGIBILITY_EXPIRED", "absent"],
    ["SOMETHING_NEW", "failed"],
  ])("a scan that is %s is %s", async (status, means) => {
    const { service } = await using({ DescribeImageScanFindings: () => ({ imageScanStatus: { status } }) });
    expect(await service.findings("team/app", sha("a"))).toMatchObject({ status: means });
  });

  test("of many pages are told together, and none is absence", async () => {
    const page = ({ nextToken }: Readonly<Record<string, unknown>>): unknown => ({
      imageScanStatus: { status: "COMPLETE" },
      imageScanFindings: { findings: [{ name: nextToken ? "CVE-2" : "CVE-1", severity: "LOW" }] },
      ...(!nextToken && { nextToken: "2" }),
    });
    const paged = await using({ DescribeImageScanFindings: page });
    const { vulnerabilities } = await paged.service.findings("team/app", "v1");
    expect(vulnerabilities.map(({ id }) => id)).toEqual(["CVE-1", "CVE-2"]);
    const never = await using({ DescribeImageScanFindings: () => fault("ScanNotFoundException") });
    expect(await never.service.findings("team/app", "v1")).toMatchObject({ status: "absent" });
    const none = await using({ DescribeImageScanFindings: () => fault("ImageNotFoundException") });
    expect(await thrown(none.service.findings("team/app", "v1"))).toMatchObject({ code: "MANIFEST_UNKNOWN" });
  });
});
