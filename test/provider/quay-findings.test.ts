import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { quay } from "../../src/provider/quay/provider.ts";
import type { Findings } from "../../src/provider/service.ts";
import { recorded, serviceContext, type Exchange } from "./support.ts";

const host = "quay-server.example.com";
const specification = "https://github.com/opencontainers/image-spec/blob/main/";
const page =
  "https://github.com/quay/quay/blob/ffba0c70e2d8d522290a4fbbaa704dbf2fc37f34/data/secscan_model/datatypes.py";

function manifest(
  ref: string,
  value: Readonly<Record<string, unknown>> & { readonly mediaType: string },
): Exchange & { readonly digest: string } {
  const text = JSON.stringify(value);
  const digest = digestOf(text);
  return {
    digest,
    page: `${specification}manifest.md`,
    url: `https://${host}/v2/org/app/manifests/${ref}`,
    headers: { "content-type": value.mediaType, "docker-content-digest": digest },
    answer: text,
  };
}

const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf("{}"), size: 2 };
const image = manifest("v1", {
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  schemaVersion: 2,
  config,
  layers: [],
});
const child = (architecture: string, name: string): object => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: digestOf(name),
  size: 1,
  platform: { os: architecture === "unknown" ? "unknown" : "linux", architecture },
});
const index = (...manifests: readonly object[]): Exchange =>
  manifest("v1", { mediaType: "application/vnd.oci.image.index.v1+json", schemaVersion: 2, manifests });

function security(digest: string, answer: object, status = 200): Exchange {
  const url = `https://${host}/api/v1/repository/org/app/manifest/${digest}/security?vulnerabilities=true`;
  return { page, url, answer, status };
}

async function find(...exchanges: readonly Exchange[]): Promise<Findings> {
  const { transport } = recorded(...exchanges);
  return (await quay.connect(serviceContext(host, { transport }))).findings("org/app", "v1");
}

test("what Clair found is told with its packages, and counted", async () => {
  const vulnerability = {
    Severity: "High",
    NamespaceName: "RHEL8-rhel-8",
    Link: "https://access.redhat.com/security/cve/CVE-2024-1 https://access.redhat.com/errata/RHSA-2024:1",
    FixedBy: "0:1.1-2.el8",
    Description: "A flaw was found in \u001b[31mopenssl.",
    Name: "CVE-2024-1",
    Metadata: null,
  };
  const data = {
    Layer: {
      Name: image.digest,
      IndexedByVersion: 4,
      Features: [
        { Name: "openssl", Version: "1.1-1.el8", Vulnerabilities: [vulnerability, { Name: 7 }] },
        {
          Name: "tar",
          Version: "1",
          Vulnerabilities: [{ Name: "CVE-2024-2", Severity: "Defcon1", Link: "javascript:x" }],
        },
        { Name: "zlib", Version: "1", Vulnerabilities: [{ Name: "CVE-2024-3", Severity: null }] },
        { Name: "clean", Version: "1", Vulnerabilities: [] },
      ],
    },
  };
  expect(await find(image, security(image.digest, { status: "scanned", data }))).toEqual({
    status: "complete",
    note: "scanned",
    scanner: "Clair",
    counts: { high: 1, critical: 1, unknown: 1 },
    vulnerabilities: [
      {
        id: "CVE-2024-1",
        severity: "high",
        package: "openssl",
        installed: "1.1-1.el8",
        fixed: "0:1.1-2.el8",
        title: "A flaw was found in  [31mopenssl.",
        url: "https://access.redhat.com/security/cve/CVE-2024-1",
      },
      { id: "CVE-2024-2", severity: "critical", package: "tar", installed: "1" },
      { id: "CVE-2024-3", severity: "unknown", package: "zlib", installed: "1" },
    ],
  });
});

test.each([
  ["queued", "running"],
  ["failed", "failed"],
  ["unsupported", "unsupported"],
  ["manifest_layer_too_large", "unsupported"],
])("%s is %s", async (status, expected) => {
  expect(await find(image, security(image.digest, { status, data: null }))).toMatchObject({
    status: expected,
    note: status,
    vulnerabilities: [],
  });
});

test("of an index one image is told of, and which", async () => {
  const answer = { status: "queued", data: null };
  const several = index(child("unknown", "attached"), child("arm64", "arm"), child("amd64", "amd"));
  expect((await find(several, security(digestOf("amd"), answer))).note).toBe("of linux/amd64: queued");
  const arm = index(child("unknown", "attached"), child("arm64", "arm"));
  expect((await find(arm, security(digestOf("arm"), answer))).note).toBe("of linux/arm64: queued");
});

test("what is not there, and a scanner that is not set up, are told apart", async () => {
  const problem = { detail: "Not Found", error_type: "not_found", title: "not_found", status: 404 };
  await expect(find(image, security(image.digest, problem, 404))).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN" });
  await expect(
    find({ ...image, status: 404, answer: { errors: [{ code: "MANIFEST_UNKNOWN" }] } }),
  ).rejects.toMatchObject({
    code: "MANIFEST_UNKNOWN",
  });
  await expect(find(image, security(image.digest, { message: "no such URL" }, 404))).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("FEATURE_SECURITY_SCANNER"),
  });
  const down = { detail: "Clair is down", error_type: "downstream_issue", status: 520 };
  await expect(find(image, security(image.digest, down, 520))).rejects.toMatchObject({ code: "UNAVAILABLE" });
});
