import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { RegistryError } from "../../src/oci/error.ts";
import { deleteInBatches } from "../../src/provider/aws/delete.ts";
import { parseEcrHost } from "../../src/provider/ecr/host.ts";
import { ecr } from "../../src/provider/ecr/provider.ts";
import type { ServiceContext } from "../../src/provider/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { instantClock } from "../support/instant-clock.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { providerContract } from "../contract/provider.ts";
import { awsApi, awsEnv, ecrAnswers, fault, lifecycleDocument, sha, type AwsAnswers, type AwsCall } from "./aws.ts";
import { serviceContext } from "./support.ts";

const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

const own = [
  host,
  `${host}:443`,
  "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
  "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com",
  "123456789012.dkr.ecr-fips.us-gov-east-1.amazonaws.com",
  "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
  "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
  "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
  "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
  "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
  "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
  "123456789012.dkr-ecr.us-west-2.on.aws",
  "123456789012.dkr-ecr-fips.us-west-2.on.aws",
  "123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn",
];

providerContract({
  provider: ecr,
  hosts: own,
  lookAlikes: [
    "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
    "1234567890123.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.org",
    "123456789012.dkr.ecr.eu-west-1.evil.test",
    "123456789012.dkr.ecr.evil.test/amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.evil-amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonawsxcom",
    "123456789012xdkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.amazonaws.com",
    "123456789012.dkr.ecr.eu-west.amazonaws.com",
    "123456789012.dkr-ecr.us-west-2.amazonaws.com",
    "123456789012.dkr.ecr.us-west-2.on.aws",
    "123456789012.s3.eu-west-1.amazonaws.com",
    `${host}:5000`,
    `${host}\n.evil.test`,
    "",
  ],
  challenges: [{ host, header: `Basic realm="https://${host}/",service="ecr.amazonaws.com"` }],
  silent: () => connect({}, { transport: undefined }),
});

test.each([
  ["123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", { region: "us-gov-west-1", fips: true, dualStack: false }],
  ["123456789012.DKR-ECR.EU-West-1.on.aws", { region: "eu-west-1", fips: false, dualStack: true }],
])("the host %s tells region and kind", (name, place) => {
  expect(parseEcrHost(name)).toEqual({ account: "123456789012", ...place });
});

async function connect(
  answers: AwsAnswers,
  {
    transport = awsApi(answers).transport,
    ...more
  }: Partial<Pick<ServiceContext, "transport" | "clock" | "env" | "api">> = {},
  at = host,
): Promise<ServiceRegistry> {
  const base = serviceContext(at, { env: awsEnv, clock: instantClock(), ...more });
  const isSilent = Object.keys(answers).length === 0;
  return ecr.connect(isSilent ? base : { ...base, transport });
}

async function using(
  answers: AwsAnswers,
  more: Parameters<typeof connect>[1] = {},
  at = host,
): Promise<{ readonly service: ServiceRegistry; readonly calls: readonly AwsCall[] }> {
  const api = awsApi({ ...ecrAnswers, ...answers });
  return {
    service: await connect({ ...ecrAnswers, ...answers }, { ...more, transport: api.transport }, at),
    calls: api.calls,
  };
}

function thrown(work: Promise<unknown>): Promise<RegistryError> {
  return work.then(
    () => expect.unreachable("nothing was thrown"),
    (error: unknown) => error as RegistryError,
  );
}

describe("the API that is asked", () => {
  test.each([
    [host, {}, "api.ecr.eu-west-1.amazonaws.com"],
    ["123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", {}, "api.ecr-fips.us-east-1.amazonaws.com"],
    [host, { AWS_USE_DUALSTACK_ENDPOINT: "true" }, "ecr.eu-west-1.api.aws"],
    ["123456789012.dkr-ecr.us-west-2.on.aws", {}, "ecr.us-west-2.api.aws"],
    ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", {}, "api.ecr.cn-north-1.amazonaws.com.cn"],
    ["123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", {}, "api.ecr.us-iso-east-1.c2s.ic.gov"],
    ["123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", {}, "api.ecr.eusc-de-east-1.amazonaws.eu"],
    [host, { AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "us-east-2" }, "api.ecr.eu-west-1.amazonaws.com"],
    ["registry.acme.example", { AWS_REGION: "sa-east-1" }, "api.ecr.sa-east-1.amazonaws.com"],
    [host, { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_ENDPOINT_URL_ECR: "http://127.0.0.1:2" }, "127.0.0.1:2"],
    [
      host,
      { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" },
      "api.ecr.eu-west-1.amazonaws.com",
    ],
  ])("for %s with %j it is %s", async (at, env, asked) => {
    const { service, calls } = await using({}, { env: { ...awsEnv, ...env } }, at);
    await service.describeRepository("team/app");
    expect(calls.map((call) => call.host)).toEqual([asked]);
    const registryId = at.startsWith("1") ? "123456789012" : undefined;
    expect(calls[0]!.request["registryId"]).toBe(registryId);
    expect(calls[0]!.headers["authorization"]).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\//);
  });

  test("without a variable it is the profile's, which the SDK reads from the process's own file", async () => {
    const path = join(await temporaryDirectory(), "config");
    await writeFile(
      path,
      "[default]\nservices = local\n[services local]\necr =\n  endpoint_url = http://127.0.0.1:4\n",
    );
    vi.stubEnv("AWS_CONFIG_FILE", path);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { service, calls } = await using({});
    await service.describeRepository("team/app");
    expect(calls[0]!.host).toBe("127.0.0.1:4");
  });

  test("our configuration counts before the variables", async () => {
    const env = { ...awsEnv, AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    const { service, calls } = await using({}, { env, api: () => "http://localhost:3" });
    await service.describeRepository("team/app");
    expect(calls[0]!.host).toBe("localhost:3");
  });

  test.each(["http://api.example", "ftp://x", "https://user:pw@x.example", "nonsense"])(
    "nothing is sent to %s",
    async (AWS_ENDPOINT_URL) => {
      const { service, calls } = await using({}, { env: { ...awsEnv, AWS_ENDPOINT_URL } });
      const error = await thrown(service.describeRepository("team/app"));
      expect(["INVALID", "UNAUTHORIZED"]).toContain(error.code);
      expect(error.message).not.toContain("pw");
      expect(calls).toEqual([]);
    },
  );

  test("behind a name of the user's own, something has to say the region", async () => {
    const { service } = await using({}, {}, "registry.acme.example");
    expect(await thrown(service.describeRepository("a/b"))).toMatchObject({ code: "INVALID", hint: "set AWS_REGION" });
  });

  test("without an AWS login, what the distribution API can do goes by that, the rest says what it takes", async () => {
    const env = { AWS_EC2_METADATA_DISABLED: "true" };
    const { service, calls } = await using({}, { env });
    expect(await thrown(service.lifecycle("team/app"))).toMatchObject({ code: "UNAUTHORIZED", host });
    expect(await thrown(Array.fromAsync(service.images("team/app")))).toMatchObject({ code: "NETWORK" });
    expect(calls).toEqual([]);
  });
});

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

describe("immutability", () => {
  test.each([
    [{ tags: "mutable" }, { imageTagMutability: "MUTABLE" }],
    [{ tags: "immutable" }, { imageTagMutability: "IMMUTABLE" }],
    [
      { tags: "immutable", except: ["dev-*"] },
      {
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
      },
    ],
    [
      { tags: "mutable", except: ["v*"], patterns: "wildcard" },
      {
        imageTagMutability: "MUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "v*" }],
      },
    ],
  ] as const)("%j is set as one of the four modes", async (wanted, sent) => {
    const { service, calls } = await using({});
    await service.setImmutability("team/app", wanted);
    expect(calls.at(-1)!.request).toEqual({ registryId: "123456789012", repositoryName: "team/app", ...sent });
  });

  test.each([
    { tags: "immutable", except: ["a", "b", "c", "d", "e", "f"] },
    { tags: "immutable", except: ["a*b*c*"] },
    { tags: "immutable", except: ["a/b"] },
    { tags: "immutable", except: [""] },
    { tags: "immutable", except: ["v.*"], patterns: "regex" },
  ] as const)("%j is refused before anything is sent", async (wanted) => {
    const { service, calls } = await using({});
    expect(await thrown(service.setImmutability("team/app", wanted))).toMatchObject({ code: "INVALID" });
    expect(calls).toEqual([]);
  });
});

describe("lifecycle policies", () => {
  test("are read and set as JSON; none is none, also to delete", async () => {
    const none = { GetLifecyclePolicy: () => fault("LifecyclePolicyNotFoundException") };
    const { service } = await using(none);
    expect(await service.lifecycle("team/app")).toBeUndefined();
    const set = await using({});
    expect(await set.service.lifecycle("team/app")).toEqual({ dialect: "ecr", document: lifecycleDocument });
    await set.service.setLifecycle("team/app", lifecycleDocument);
    expect(JSON.parse(set.calls.at(-1)!.request["lifecyclePolicyText"] as string)).toEqual(lifecycleDocument);
    const gone = await using({ DeleteLifecyclePolicy: () => fault("LifecyclePolicyNotFoundException") });
    await gone.service.deleteLifecycle("team/app");
    expect(gone.calls).toHaveLength(1);
  });

  test("what is no policy is not sent", async () => {
    const { service, calls } = await using({});
    expect(await thrown(service.setLifecycle("team/app", "no"))).toMatchObject({ code: "INVALID" });
    expect(await thrown(Array.fromAsync(service.previewLifecycle("team/app", [])))).toMatchObject({ code: "INVALID" });
    expect(calls).toEqual([]);
  });

  test("a preview is waited for", async () => {
    let polls = 0;
    const clock = instantClock();
    const answer = (request: Readonly<Record<string, unknown>>): unknown =>
      polls++ < 3 ? { status: "IN_PROGRESS" } : ecrAnswers["GetLifecyclePolicyPreview"]!(request);
    const { service, calls } = await using({ GetLifecyclePolicyPreview: answer }, { clock });
    expect(await Array.fromAsync(service.previewLifecycle("team/app", lifecycleDocument))).toEqual([
      { digest: sha("c"), tags: [], pushed: "2020-09-13T12:26:40.000Z", action: "delete", rule: "rule 1" },
      { digest: sha("d"), tags: ["old"], action: "archive", rule: "rule 2" },
    ]);
    expect(clock.waits).toEqual([2000, 2000, 2000]);
    expect(calls[0]).toMatchObject({ operation: "StartLifecyclePolicyPreview" });
    expect(JSON.parse(calls[0]!.request["lifecyclePolicyText"] as string)).toEqual(lifecycleDocument);
  });

  test.each([
    ["FAILED", "UNAVAILABLE"],
    ["EXPIRED", "UNAVAILABLE"],
  ])("a preview that is %s says so", async (status, code) => {
    const { service } = await using({ GetLifecyclePolicyPreview: () => ({ status }) });
    expect(await thrown(Array.fromAsync(service.previewLifecycle("team/app")))).toMatchObject({ code });
  });

  test("a preview that never ends is given up", async () => {
    let now = 0;
    const clock = { ...instantClock(), now: () => (now += 100_000) };
    const { service } = await using({ GetLifecyclePolicyPreview: () => ({ status: "IN_PROGRESS" }) }, { clock });
    expect(await thrown(Array.fromAsync(service.previewLifecycle("team/app")))).toMatchObject({ code: "TIMEOUT" });
  });

  test("a preview while another is under way says to wait", async () => {
    const busy = { StartLifecyclePolicyPreview: () => fault("LifecyclePolicyPreviewInProgressException") };
    const { service } = await using(busy);
    expect(await thrown(Array.fromAsync(service.previewLifecycle("team/app")))).toMatchObject({ code: "CONFLICT" });
  });
});

describe("deleting", () => {
  test("a tag goes by its name, never by digest", async () => {
    const { service, calls } = await using({});
    await service.deleteTag("team/app", "v1");
    await service.repository("team/app").deleteTag("v2");
    expect(calls.map(({ request }) => request["imageIds"])).toEqual([[{ imageTag: "v1" }], [{ imageTag: "v2" }]]);
  });

  const failing = (failureCode: string): AwsAnswers => ({
    BatchDeleteImage: ({ imageIds }) => ({
      imageIds: [],
      failures: [
        { imageId: (imageIds as readonly unknown[])[0], failureCode, failureReason: `because of ${failureCode}` },
      ],
    }),
  });

  test.each([
    ["ImageNotFound", "MANIFEST_UNKNOWN"],
    ["InvalidImageTag", "INVALID"],
    ["KmsError", "DENIED"],
    ["UpstreamUnavailable", "UNAVAILABLE"],
    ["SomethingNew", "DENIED"],
  ])("a 200 with the failure %s is an error", async (failureCode, code) => {
    const { service } = await using(failing(failureCode));
    expect(await thrown(service.deleteTag("team/app", "v1"))).toMatchObject({ code, host });
  });

  test("one manifest that is not there is unknown, one that an index has says so", async () => {
    const absent = await using(failing("ImageNotFound"));
    const gone = absent.service.repository("team/app").deleteManifest(sha("a"));
    expect(await thrown(gone)).toMatchObject({ code: "MANIFEST_UNKNOWN" });
    const held = await using(failing("ImageReferencedByManifestList"));
    const kept = held.service.repository("team/app").deleteManifest(sha("a"));
    expect(await thrown(kept)).toMatchObject({ code: "CONFLICT", hint: expect.stringContaining("index") as string });
  });

  test("250 digests take three requests, and each is told of", async () => {
    const digests = Array.from({ length: 250 }, (_, i) => `sha256:${i.toString(16).padStart(64, "0")}` as const);
    const { service, calls } = await using({
      BatchDeleteImage: ({ imageIds }) => {
        const ids = imageIds as readonly { readonly imageDigest: string }[];
        const isEven = ({ imageDigest }: { imageDigest: string }): boolean => /[02468ace]$/.test(imageDigest);
        return {
          imageIds: ids.filter(isEven).map(({ imageDigest }) => ({ imageDigest, imageTag: "t" })),
          failures: ids
            .filter((id) => !isEven(id))
            .map((imageId) => ({ imageId, failureCode: "ImageNotFound", failureReason: "Requested image not found" })),
        };
      },
    });
    const deletions = await Array.fromAsync(service.deleteManifests("team/app", [...digests, digests[0]!]));
    expect(calls.map(({ request }) => (request["imageIds"] as unknown[]).length)).toEqual([100, 100, 50]);
    expect(deletions.map(({ digest }) => digest)).toEqual(digests);
    expect(deletions[0]).toEqual({ digest: digests[0], outcome: "deleted", tags: ["t"] });
    expect(deletions[1]).toEqual({ digest: digests[1], outcome: "absent" });
  });

  test("children that come before their index go after it", async () => {
    const there = new Set([sha("a"), sha("b"), sha("f")]);
    const batch = async (ids: readonly object[]): Promise<object> => {
      const failures: object[] = [];
      for (const { imageDigest } of ids as readonly { imageDigest: `sha256:${string}` }[]) {
        const isHeld = imageDigest !== sha("f") && there.has(sha("f"));
        if (isHeld) failures.push({ imageId: { imageDigest }, failureCode: "ImageReferencedByManifestList" });
        else there.delete(imageDigest);
      }
      return { failures };
    };
    const all = deleteInBatches(host, "team/app", [sha("a"), sha("b"), sha("f")], batch);
    expect((await Array.fromAsync(all)).map(({ digest, outcome }) => [digest, outcome])).toEqual([
      [sha("f"), "deleted"],
      [sha("a"), "deleted"],
      [sha("b"), "deleted"],
    ]);
  });

  test("what is refused as a whole is told of each", async () => {
    const { service } = await using({ BatchDeleteImage: () => fault("AccessDeniedException") });
    const [deletion] = await Array.fromAsync(service.deleteManifests("team/app", [sha("a")]));
    expect(deletion).toMatchObject({ outcome: "failed", error: { code: "DENIED" } });
  });
});

describe("errors", () => {
  const arn = "arn:aws:sts::123456789012:assumed-role/ci/x";
  test.each([
    [
      "AccessDeniedException",
      `User: ${arn} is not authorized to perform: ecr:DescribeImages on resource: arn:x because no policy allows it`,
      "DENIED",
      /permission ecr:DescribeImages in account 123456789012 in eu-west-1/,
    ],
    ["AccessDeniedException", "", "DENIED", /permission ecr:DescribeImages/],
    ["RepositoryNotFoundException", "no", "NAME_UNKNOWN", /account and region/],
    ["ExpiredTokenException", "The security token included in the request is expired", "UNAUTHORIZED", /aws sso login/],
    ["UnrecognizedClientException", "The security token is invalid", "UNAUTHORIZED", /partition/],
    ["InvalidSignatureException", "Signature expired", "UNAUTHORIZED", /clock/],
    ["LimitExceededException", "limit", "DENIED", /Service Quotas/],
    ["OptInRequired", "opt in", "DENIED", /enable the region/],
    ["KmsException", "key disabled", "DENIED", /KMS/],
    ["InvalidParameterException", "bad\u001b[31m name", "INVALID", undefined],
    ["constructor", "what?", "UNKNOWN", undefined],
  ])("%s (%s) is %s", async (name, message, code, hint) => {
    const { service, calls } = await using({ DescribeImages: () => fault(name, message) });
    const error = await thrown(Array.fromAsync(service.images("team/app")));
    expect(error).toMatchObject({ code, host, status: 400 });
    expect(error.message).toContain("cannot list the images of");
    // oxlint-disable-next-line no-control-regex -- that there are none is the point
    expect(`${error.message}${error.hint}`).not.toMatch(/[\u0000-\u001f]/);
    if (hint) expect(error.hint).toMatch(hint);
    expect(calls).toHaveLength(1);
  });

  test("a throttled request waits and comes again, and is given up at last", async () => {
    let refusals = 2;
    const clock = instantClock();
    const passing = await using(
      { DescribeImages: () => (refusals-- > 0 ? fault("ThrottlingException", "Rate exceeded") : { imageDetails: [] }) },
      { clock },
    );
    expect(await Array.fromAsync(passing.service.images("team/app"))).toEqual([]);
    expect(clock.waits).toEqual([500, 1000]);
    const lasting = await using({ DescribeImages: () => fault("TooManyRequestsException") });
    const error = await thrown(Array.fromAsync(lasting.service.images("team/app")));
    expect(error).toMatchObject({ code: "TOOMANYREQUESTS", retryable: true });
    expect(lasting.calls).toHaveLength(5);
  });

  test("a server's failure, and what is no JSON", async () => {
    const down = await using({ DescribeImages: () => fault("ServerException", "oops", 500) });
    expect(await thrown(Array.fromAsync(down.service.images("a/b")))).toMatchObject({
      code: "UNAVAILABLE",
      status: 500,
    });
    const page = await connect(ecrAnswers, {
      transport: async () => ({
        status: 200,
        headers: { "content-type": "text/html" },
        body: (async function* () {
          yield Buffer.from("<html>log in to the hotel's network</html>");
        })(),
      }),
    });
    expect(await thrown(Array.fromAsync(page.images("a/b")))).toMatchObject({ code: "NETWORK" });
  });
});
