import { ECR } from "@aws-sdk/client-ecr";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client, type Event } from "../src/index.ts";
import { ecr } from "../src/provider/ecr/provider.ts";
import { ecrPublic } from "../src/provider/ecr-public/provider.ts";
import { streamOf } from "../src/oci/stream.ts";
import type { ServiceRegistry } from "../src/provider/service.ts";
import type { Transport } from "../src/transport/transport.ts";
import { awsApi, awsEnv } from "../test/provider/aws.ts";
import { ecrAnswers, lifecycleDocument, publicAnswers, sha } from "../test/provider/aws-answers.ts";
import { serviceContext } from "../test/provider/support.ts";
import { instantClock } from "../test/support/instant-clock.ts";
import { type Moto, startMoto } from "./support/moto.ts";
import { describeWith, peer } from "./support/peers.ts";
import { startDockerRegistry } from "./support/registries.ts";
import { must, root, run } from "./support/run.ts";

const account = "123456789012";
const host = `${account}.dkr.ecr.eu-west-1.amazonaws.com`;

describeWith("moto_server", "Amazon ECR as moto has it", () => {
  let moto: Moto;
  let home: string;
  let client: Client;
  let sdk: ECR;
  const events: Event[] = [];

  beforeAll(async () => {
    moto = await startMoto();
    home = await mkdtemp(join(tmpdir(), "gantry-e2e-aws-"));
    client = createClient({ env: envOf(), onEvent: (event) => void events.push(event) });
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    sdk = new ECR({ endpoint: moto.url, region: "eu-west-1", credentials });
  }, 90_000);
  afterAll(async () => {
    await client?.close();
    await moto?.[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  });

  const envOf = (): Readonly<Record<string, string>> => ({ ...keys, HOME: home, AWS_ENDPOINT_URL: moto.url });
  const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_EC2_METADATA_DISABLED: "true" };

  /** A repository with images whose tags are given. */
  async function filled(name: string, ...tags: readonly string[]): Promise<ServiceRegistry> {
    const service = await client.service(host);
    expect(await service.createRepository(name)).toBe("created");
    for (const [index, imageTag] of tags.entries()) {
      const layer = sha(String(index + 1));
      const imageManifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        config: { mediaType: "application/vnd.oci.image.config.v1+json", size: 10, digest: layer },
        layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", size: index, digest: layer }],
      });
      await sdk.putImage({ repositoryName: name, imageTag, imageManifest });
    }
    return service;
  }

  test("repositories are made, listed, described and deleted", async () => {
    const service = await filled("life/cycle", "v1");
    expect((await client.service(host)).provider).toBe(ecr);
    expect(await service.createRepository("life/cycle")).toBe("exists");
    expect(await Array.fromAsync(service.listRepositories("life/"))).toMatchObject([
      { name: "life/cycle", visibility: "private", immutability: { tags: "mutable" } },
    ]);
    expect(await service.describeRepository("life/cycle")).toMatchObject({ name: "life/cycle" });
    expect(await service.describeRepository("life/none")).toBeUndefined();
    expect(await Array.fromAsync(service.search({ term: "cycle" }))).toEqual([
      { name: "life/cycle", reference: `${host}/life/cycle` },
    ]);
    await expect(service.deleteRepository("life/cycle")).rejects.toMatchObject({ code: "CONFLICT" });
    await service.deleteRepository("life/cycle", { force: true });
    await expect(service.deleteRepository("life/cycle")).rejects.toMatchObject({
      code: "NAME_UNKNOWN",
      message: expect.stringContaining(`account ${account} in eu-west-1`) as string,
    });
  });

  test("images are listed, untagged and deleted", async () => {
    const service = await filled("images", "v1", "v2");
    await sdk.putImage({
      repositoryName: "images",
      imageTag: "also",
      imageManifest: (await sdk.batchGetImage({ repositoryName: "images", imageIds: [{ imageTag: "v1" }] })).images![0]!
        .imageManifest!,
    });
    const images = await Array.fromAsync(service.images("images"));
    expect(images.map(({ tags }) => tags.toSorted())).toEqual([["also", "v1"], ["v2"]]);
    expect(images[0]).toMatchObject({ size: 10, sizeKind: "manifest", pushed: expect.stringMatching(/Z$/) as string });
    await service.deleteTag("images", "also");
    await expect(service.deleteTag("images", "also")).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN" });
    const [first] = await Array.fromAsync(service.images("images"));
    expect(first).toMatchObject({ digest: images[0]!.digest, tags: ["v1"] });
    const digests = [...images.map(({ digest }) => digest!), sha("e")];
    expect(await Array.fromAsync(service.deleteManifests("images", digests))).toMatchObject([
      { outcome: "deleted", tags: ["v1"] },
      { outcome: "deleted", tags: ["v2"] },
      { outcome: "absent" },
    ]);
    expect(await Array.fromAsync(service.images("images"))).toEqual([]);
    await expect(Array.fromAsync(service.images("none"))).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
  });

  test("an inventory for planners takes the list, and pulls nothing", async () => {
    await filled("team/planned", "v1", "v2");
    const { manifests, tags, gaps, listsUntagged } = await client.inventory(`${host}/team/planned`);
    expect(listsUntagged).toBe(true);
    expect([...tags.keys()]).toEqual(["v1", "v2"]);
    const images = [...manifests.values()];
    expect(gaps).toEqual([]);
    expect(images).toMatchObject([
      { unread: true, size: 10, pushed: expect.any(Number) as number },
      { unread: true, pushed: expect.any(Number) as number },
    ]);
  });

  test("immutability, lifecycle policy, labels, findings and replication", async () => {
    const service = await filled("settings", "v1");
    const immutability = { tags: "immutable", except: ["dev-*"], patterns: "wildcard" } as const;
    await service.setImmutability("settings", immutability);
    expect(await service.immutability("settings")).toEqual(immutability);
    await service.setImmutability("settings", { tags: "mutable" });
    expect(await service.immutability("settings")).toEqual({ tags: "mutable" });

    expect(await service.lifecycle("settings")).toBeUndefined();
    await service.setLifecycle("settings", lifecycleDocument);
    expect(await service.lifecycle("settings")).toEqual({ dialect: "ecr", document: lifecycleDocument });
    await service.deleteLifecycle("settings");
    await service.deleteLifecycle("settings");
    expect(await service.lifecycle("settings")).toBeUndefined();

    const resourceArn = `arn:aws:ecr:eu-west-1:${account}:repository/settings`;
    await sdk.tagResource({ resourceArn, tags: [{ Key: "team", Value: "platform" }] });
    expect(await service.labels("settings")).toEqual({ team: "platform" });

    expect(await service.findings("settings", "v1")).toMatchObject({ status: "absent" });
    await sdk.startImageScan({ repositoryName: "settings", imageId: { imageTag: "v1" } });
    expect(await service.findings("settings", "v1")).toMatchObject({
      status: "complete",
      counts: { high: 1 },
      vulnerabilities: [{ id: "CVE-9999-9999", package: "moto_fake", installed: "9.9.9" }],
    });

    const destinations = [{ region: "eu-central-1", registryId: account }];
    await sdk.putReplicationConfiguration({ replicationConfiguration: { rules: [{ destinations }] } });
    expect(await Array.fromAsync(service.replication())).toEqual([
      { name: "rule 1", to: "eu-central-1", enabled: true, trigger: "push" },
    ]);
  });

  test("what is asked goes over our own transport, and is told of", async () => {
    const service = await client.service(host);
    events.length = 0;
    await service.describeRepository("anything");
    expect(events.filter(({ type }) => type === "request")).toMatchObject([{ host: new URL(moto.url).host }]);
  });

  test("the registry's login is kept, although moto says that it expired in 2015", async () => {
    const [token] = (await sdk.getAuthorizationToken()).authorizationData!;
    expect(token!.expiresAt!.getFullYear()).toBe(2015);
    const context = serviceContext(host, { env: envOf(), transport: straight });
    const source = await ecr.credentials!(context);
    const first = await source.find(host, "a");
    expect(first).toMatchObject({ kind: "basic", username: "AWS" });
    expect(await source.find(host, "b")).toBe(first);
  });

  test("a role is taken on at moto's STS, by the profile that AWS_PROFILE names", async () => {
    const folder = join(home, ".aws");
    await mkdir(folder, { recursive: true });
    const role = `[profile ci]\nrole_arn = arn:aws:iam::${account}:role/ci\nsource_profile = base\n`;
    await writeFile(join(folder, "config"), role);
    await writeFile(join(folder, "credentials"), "[base]\naws_access_key_id = base\naws_secret_access_key = base\n");
    const seen: Event[] = [];
    const env = { HOME: home, AWS_PROFILE: "ci", AWS_ENDPOINT_URL: moto.url };
    const assumed = createClient({ env, onEvent: (event) => void seen.push(event) });
    const service = await assumed.service(host);
    expect(await service.createRepository("by/role")).toBe("created");
    expect(await (await client.service(host)).describeRepository("by/role")).toMatchObject({ name: "by/role" });
    // STS, then ECR; before both, whether moto speaks plain HTTP is found out.
    const sent = seen.flatMap((event) => (event.type === "request" ? [event.method] : []));
    expect(sent).toEqual(["GET", "POST", "POST"]);
    await assumed.close();
  });

  test("a repository of another account is not found in the one that the host names", async () => {
    await filled("accounts");
    const other = await client.service(`999999999999.dkr.ecr.eu-west-1.amazonaws.com`);
    await expect(Array.fromAsync(other.images("accounts"))).rejects.toMatchObject({
      code: "NAME_UNKNOWN",
      message: expect.stringContaining("account 999999999999 in eu-west-1") as string,
    });
    const abroad = await client.service(`${account}.dkr.ecr.us-east-1.amazonaws.com`);
    expect(await abroad.describeRepository("accounts")).toBeUndefined();
  });
});

/** A transport without anything between. */
const straight: Transport = async ({ method, url, headers, body }) => {
  const bytes = body && Buffer.concat(await Array.fromAsync(await body.open()));
  const response = await fetch(url, { method, headers, ...(bytes && { body: bytes }) });
  const answer = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: Object.fromEntries(response.headers), body: streamOf(answer) };
};

describeWith(["moto_server", "docker-registry"], "a registry that the user says is ECR's", () => {
  test("gets the user AWS and the token that its API gives, and no other registry does", async () => {
    await using moto = await startMoto();
    const own = new ECR({
      endpoint: moto.url,
      region: "eu-west-1",
      credentials: { accessKeyId: "x", secretAccessKey: "x" },
    });
    const { authorizationData } = await own.getAuthorizationToken();
    const [, password = ""] = atob(authorizationData![0]!.authorizationToken!).split(":");
    await using registry = await startDockerRegistry({ htpasswd: { AWS: password } });
    const env = { ...awsEnv, AWS_REGION: "eu-west-1", HOME: "/nonexistent" };
    const declared = createClient({ env, hosts: { [registry.host]: { provider: "ecr", api: moto.url } } });
    expect(await Array.fromAsync(declared.registry(registry.host).repositories())).toEqual([]);
    await declared.close();
    const undeclared = createClient({ env: { ...env, AWS_ENDPOINT_URL: moto.url } });
    const names = Array.fromAsync(undeclared.registry(registry.host).repositories());
    await expect(names).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await undeclared.close();
  }, 90_000);
});

describeWith("moto_server", "the calls of ECR and ECR Public, by AWS's own service models", () => {
  test("have nothing that the models do not, and lack nothing; nor do the answers that our tests give", async () => {
    const own = awsApi(ecrAnswers);
    const shared = { env: awsEnv, clock: instantClock() };
    const service = await ecr.connect(serviceContext(host, { ...shared, transport: own.transport }));
    await useAll(service, "team/app");
    await Array.fromAsync(service.previewLifecycle("team/app"));
    await Array.fromAsync(service.previewLifecycle("team/app", lifecycleDocument));
    await service.setLifecycle("team/app", lifecycleDocument);
    await service.lifecycle("team/app");
    await service.deleteLifecycle("team/app");
    await service.findings("team/app", "v1");
    await service.findings("team/app", sha("a"));
    await Array.fromAsync(service.replication());
    for (const tags of ["mutable", "immutable"] as const) {
      await service.setImmutability("team/app", { tags });
      await service.setImmutability("team/app", { tags, except: ["dev-*", "*"] });
    }
    await (await ecr.credentials!(serviceContext(host, { ...shared, transport: own.transport }))).find(host, "");

    const open = awsApi(publicAnswers);
    const at = "public.ecr.aws";
    await useAll(
      await ecrPublic.connect(serviceContext(at, { ...shared, transport: open.transport })),
      "acme/team/app",
    );
    await (await ecrPublic.credentials!(serviceContext(at, { ...shared, transport: open.transport }))).find(at, "");

    const calls = [...own.calls, ...open.calls];
    const asked = new Set(calls.map(({ service, operation }) => `${service} ${operation}`));
    const answered = [
      ...Object.keys(ecrAnswers).map((name) => `ecr ${name}`),
      ...Object.keys(publicAnswers).map((name) => `ecr-public ${name}`),
    ];
    expect([...asked].sort()).toEqual(answered.sort());
    expect(await validate(calls)).toEqual([]);
  }, 60_000);

  test("the models find what is wrong", async () => {
    const wrong = {
      service: "ecr",
      operation: "DescribeImages",
      request: { repositoryName: "A", maxResult: 1 },
      response: {},
    };
    expect(await validate([wrong])).toHaveLength(3);
  }, 60_000);

  async function useAll(service: ServiceRegistry, name: string): Promise<void> {
    await Array.fromAsync(service.listRepositories());
    await service.describeRepository(name);
    await Array.fromAsync(service.images(name));
    await service.createRepository(name);
    await service.labels(name);
    await service.deleteTag(name, "v1");
    await Array.fromAsync(service.deleteManifests(name, [sha("a"), sha("b")]));
    await service.deleteRepository(name, { force: true });
  }

  async function validate(calls: readonly object[]): Promise<unknown> {
    const python = join(dirname(peer("moto_server")!.path), "python");
    const script = join(root, "e2e", "support", "aws_models.py");
    return JSON.parse(await must(run(python, [script], { stdin: JSON.stringify(calls) }))) as unknown;
  }
});

test("the SDK of AWS is loaded for hosts of AWS alone", async () => {
  const script = `
    import { createClient } from ${JSON.stringify(join(root, "src/index.ts"))};
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ resolve: (name, context, next) => (/^@(aws-sdk|smithy)/.test(name) && loaded.push(name), next(name, context)) });
    const client = createClient({ env: { AWS_EC2_METADATA_DISABLED: "true", ...JSON.parse(process.argv[2]) }, retries: 0 });
    const use = async () => (await client.service(process.argv[1])).describeRepository("team/app");
    await use().catch(() => {});
    console.log(loaded.length > 0);
  `;
  const isLoaded = async (at: string, env: object): Promise<string> => {
    const args = [
      "--disable-warning=ExperimentalWarning",
      "--input-type=module",
      "-e",
      script,
      at,
      JSON.stringify(env),
    ];
    return must(run(process.execPath, args));
  };
  const env = { ...awsEnv, AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
  expect(await isLoaded("127.0.0.1:1", env)).toBe("false");
  expect(await isLoaded(`${host}.evil.test`, { ...env, HTTPS_PROXY: "http://127.0.0.1:1" })).toBe("false");
  expect(await isLoaded(host, env)).toBe("true");
}, 60_000);
