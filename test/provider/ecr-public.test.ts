import { describe, expect, test } from "vitest";
import type { RegistryError } from "../../src/oci/error.ts";
import { streamOf } from "../../src/oci/stream.ts";
import { ecrPublic } from "../../src/provider/ecr-public/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import type { Req, Transport } from "../../src/transport/transport.ts";
import { instantClock } from "../support/instant-clock.ts";
import { providerContract } from "../contract/provider.ts";
import { awsApi, awsEnv, fault, type AwsAnswers, type AwsCall } from "./aws.ts";
import { publicAnswers, sha } from "./aws-answers.ts";
import { serviceContext, unreachable } from "./support.ts";

const host = "public.ecr.aws";

providerContract({
  provider: ecrPublic,
  hosts: [host, `${host}:443`, "PUBLIC.ecr.aws", "ecr-public.aws.com"],
  lookAlikes: ["xpublic.ecr.aws", "public.ecr.aws.evil.test", "public-ecr.aws", "ecr.aws", "public.ecr.aws:5000"],
  challenges: [
    { host, header: 'Bearer realm="https://public.ecr.aws/token",service="public.ecr.aws",scope="aws"' },
    { host, header: 'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"' },
  ],
  silent: () => ecrPublic.connect(serviceContext(host, { env: awsEnv })),
});

async function using(
  answers: AwsAnswers = {},
  env = awsEnv,
): Promise<{ readonly service: ServiceRegistry; readonly calls: readonly AwsCall[]; readonly others: readonly URL[] }> {
  const api = awsApi({ ...publicAnswers, ...answers });
  const others: URL[] = [];
  const transport: Transport = async (request) => {
    if (request.headers["x-amz-target"] !== undefined) return api.transport(request);
    others.push(request.url);
    return unreachable(request);
  };
  const context = serviceContext(host, { env, transport, clock: instantClock() });
  return { service: await ecrPublic.connect(context), calls: api.calls, others };
}

function thrown(work: Promise<unknown>): Promise<RegistryError> {
  return work.then(
    () => expect.unreachable("nothing was thrown"),
    (error: unknown) => error as RegistryError,
  );
}

describe("repositories of one's own", () => {
  test("are listed as they are pulled, and described by their catalog page", async () => {
    const { service, calls } = await using();
    const info = { name: "acme/team/app", created: "2023-11-14T22:13:20.000Z", visibility: "public" };
    expect(await Array.fromAsync(service.listRepositories("acme/"))).toEqual([info]);
    expect(await Array.fromAsync(service.repositories("other/"))).toEqual([]);
    expect(await service.describeRepository("acme/team/app")).toEqual({ ...info, description: "an app" });
    expect(new Set(calls.map((call) => call.host))).toEqual(new Set(["api.ecr-public.us-east-1.amazonaws.com"]));
    expect(calls.at(-1)!.request).toEqual({ repositoryName: "team/app" });
    const bare = await using({ GetRepositoryCatalogData: () => fault("RepositoryCatalogDataNotFoundException") });
    expect(await bare.service.describeRepository("acme/team/app")).toEqual(info);
    const none = await using({ DescribeRepositories: () => fault("RepositoryNotFoundException") });
    expect(await none.service.describeRepository("acme/team/app")).toBeUndefined();
  });

  test("tell their images within two requests", async () => {
    const { service, calls } = await using();
    expect(await Array.fromAsync(service.images("acme/team/app"))).toEqual([
      {
        digest: sha("a"),
        tags: ["v1"],
        pushed: "2023-11-14T22:13:20.000Z",
        size: 99,
        sizeKind: "manifest",
        mediaType: "application/vnd.oci.image.manifest.v1+json",
      },
    ]);
    expect(calls.map(({ operation }) => operation)).toEqual(["DescribeRegistries", "DescribeImages"]);
    expect(calls[1]!.request).toEqual({ repositoryName: "team/app", maxResults: 1000 });
  });

  test("are not deleted from as everybody else's, where AWS does not tell whose they are", async () => {
    const { service, others } = await using({ DescribeRegistries: () => fault("AccessDeniedException") });
    const store = service.repository("acme/team/app");
    for (const work of [service.deleteTag("acme/team/app", "v1"), store.deleteManifest(sha("a"))]) {
      expect(await thrown(work)).toMatchObject({
        code: "DENIED",
        hint: expect.stringContaining("ecr-public:DescribeRegistries") as unknown,
      });
    }
    expect(others).toEqual([]);
  });

  test("are made, emptied and deleted", async () => {
    const { service, calls } = await using();
    expect(await service.createRepository("acme/new")).toBe("created");
    await service.deleteTag("acme/team/app", "v1");
    await service.repository("acme/team/app").deleteManifest(sha("a"));
    await service.deleteRepository("acme/team/app", { force: true });
    expect(await service.labels("acme/team/app")).toEqual({ team: "platform" });
    expect(calls.map(({ operation, request }) => [operation, request])).toEqual([
      ["DescribeRegistries", {}],
      ["CreateRepository", { repositoryName: "new" }],
      ["BatchDeleteImage", { repositoryName: "team/app", imageIds: [{ imageTag: "v1" }] }],
      ["BatchDeleteImage", { repositoryName: "team/app", imageIds: [{ imageDigest: sha("a") }] }],
      ["DeleteRepository", { repositoryName: "team/app", force: true }],
      ["DescribeRepositories", { repositoryNames: ["team/app"] }],
      ["ListTagsForResource", { resourceArn: "arn:aws:ecr-public::123456789012:repository/team/app" }],
    ]);
    const there = await using({ CreateRepository: () => fault("RepositoryAlreadyExistsException") });
    expect(await there.service.createRepository("acme/new")).toBe("exists");
  });
});

describe("repositories of others", () => {
  test("are read by the distribution API, and not changed by AWS's", async () => {
    const { service, calls, others } = await using();
    expect(await thrown(Array.fromAsync(service.images("docker/library/alpine")))).toMatchObject({ code: "NETWORK" });
    expect(others.map(({ pathname }) => pathname)).toEqual(["/v2/docker/library/alpine/tags/list"]);
    expect(await thrown(service.createRepository("docker/x"))).toMatchObject({
      code: "DENIED",
      hint: "names of its own begin with acme/",
    });
    expect(calls.map(({ operation }) => operation)).toEqual(["DescribeRegistries"]);
  });

  test.each([
    ["without an AWS login", {}, { AWS_EC2_METADATA_DISABLED: "true" }],
    ["with one that may not ask", { DescribeRegistries: () => fault("AccessDeniedException") }, awsEnv],
    ["with one that has expired", { DescribeRegistries: () => fault("ExpiredTokenException") }, awsEnv],
  ])("are read %s too", async (_, answers, env) => {
    const { service, others } = await using(answers, env);
    expect(await thrown(Array.fromAsync(service.images("docker/library/alpine")))).toMatchObject({ code: "NETWORK" });
    expect(others).toHaveLength(1);
    expect((await thrown(service.createRepository("acme/x"))).code).toMatch(/UNAUTHORIZED|DENIED/);
  });
});

describe("its login", () => {
  const json = (
    body: unknown,
    status = 200,
  ): { status: number; headers: Readonly<Record<string, string>>; body: AsyncIterable<Uint8Array> } => ({
    status,
    headers: {},
    body: streamOf(Buffer.from(JSON.stringify(body))),
  });

  test("comes from AWS, once, sent once and with little patience", async () => {
    const requests: Req[] = [];
    const api = awsApi(publicAnswers);
    const transport: Transport = async (request) => {
      requests.push(request);
      return api.transport(request);
    };
    const source = await ecrPublic.credentials!(serviceContext(host, { env: awsEnv, transport }));
    const found = await Promise.all([source.find(host, "a"), source.find(host, "b"), source.find(host, "")]);
    expect(found[0]).toMatchObject({
      kind: "basic",
      username: "AWS",
      origin: "ecr-public:GetAuthorizationToken by AWS_ACCESS_KEY_ID",
    });
    expect(new Set(found).size).toBe(1);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ brief: true, anonymous: true });
  });

  test("is none without an AWS login, and nothing is asked", async () => {
    const env = { AWS_EC2_METADATA_DISABLED: "true" };
    const source = await ecrPublic.credentials!(serviceContext(host, { env }));
    expect(await source.find(host, "docker/library/alpine")).toBeUndefined();
  });

  test.each([
    ["may not have it", () => json({ __type: "AccessDeniedException" }, 400), /ecr-public:GetAuthorizationToken/],
    ["has expired", () => json({ __type: "ExpiredTokenException", message: "is expired" }, 400), /is expired/],
    ["reaches nobody", () => undefined, /cannot be reached/],
    ["gets nonsense", () => json({ authorizationData: { authorizationToken: "!" } }), /is no token/],
  ])("a machine that %s is warned once, and pulls as everybody does", async (_, answer, warning) => {
    const warnings: string[] = [];
    const transport: Transport = async (request) => answer() ?? unreachable(request);
    const onWarning = (text: string): void => void warnings.push(text);
    const context = serviceContext(host, { env: awsEnv, transport, onWarning, clock: instantClock() });
    const source = await ecrPublic.credentials!(context);
    expect(await source.find(host, "docker/library/alpine")).toBeUndefined();
    expect(await source.find(host, "docker/library/busybox")).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });
});
