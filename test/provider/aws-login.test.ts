import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Environment } from "../../src/auth/credential.ts";
import { streamOf } from "../../src/oci/stream.ts";
import { awsLogin, type AwsLogin } from "../../src/provider/aws/login.ts";
import type { Req, Transport } from "../../src/transport/transport.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { thrown } from "./ecr-registry.ts";
import { serviceContext, unreachable } from "./support.ts";

const vendor = "/sys/devices/virtual/dmi/id/sys_vendor";
const noMachine = { AWS_EC2_METADATA_DISABLED: "true" };

/** Finds the AWS login with files in a home directory, and a transport for STS. */
async function find(
  env: Environment,
  files: Readonly<Record<string, string>> = {},
  transport: Transport = unreachable,
): Promise<AwsLogin | undefined> {
  const home = await temporaryDirectory();
  await mkdir(join(home, ".aws"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, ".aws", name), text);
  const own: Transport = (request) => transport(request);
  const context = serviceContext("x", { home, transport: own, env: { ...noMachine, ...env } });
  return awsLogin(context, { region: "eu-west-1" })();
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const keys = "aws_access_key_id = AKFILE\naws_secret_access_key = file\n";
const later = new Date(Date.now() + 3_600_000).toISOString();

/** STS, as https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html shows it. */
function sts(operation: string): {
  readonly transport: Transport;
  readonly requests: (Req & { readonly text: string })[];
} {
  const requests: (Req & { readonly text: string })[] = [];
  const transport: Transport = async (request) => {
    const pieces = await Array.fromAsync((await request.body?.open()) ?? []);
    requests.push({ ...request, text: Buffer.concat(pieces).toString() });
    const xml = `<${operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${operation}Result><Credentials>
      <AccessKeyId>AKROLE</AccessKeyId><SecretAccessKey>role</SecretAccessKey><SessionToken>session</SessionToken>
      <Expiration>${later}</Expiration></Credentials></${operation}Result></${operation}Response>`;
    return { status: 200, headers: { "content-type": "text/xml" }, body: streamOf(Buffer.from(xml)) };
  };
  return { transport, requests };
}

/** STS that refuses, as https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html says. */
const refusing =
  (code: string, message: string): Transport =>
  async () => {
    const xml = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
    return { status: 403, headers: { "content-type": "text/xml" }, body: streamOf(Buffer.from(xml)) };
  };
const forbidding = refusing(
  "AccessDenied",
  "User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/ci",
);

describe("the order of AWS logins", () => {
  test("none is none", async () => {
    expect(await find({})).toBeUndefined();
    expect(await find({}, { config: "[default]\nregion = eu-west-1\n" })).toBeUndefined();
    expect(await find({ AWS_ACCESS_KEY_ID: "half" })).toBeUndefined();
  });

  test("variables come before the default profile, and the profile of AWS_PROFILE before them", async () => {
    const env = { AWS_ACCESS_KEY_ID: "AKENV", AWS_SECRET_ACCESS_KEY: "env", AWS_SESSION_TOKEN: "session" };
    const files = { credentials: `[default]\n${keys}[other]\n${keys.replace("AKFILE", "AKOTHER")}` };
    expect(await find(env, files)).toEqual({
      identity: { accessKeyId: "AKENV", secretAccessKey: "env", sessionToken: "session" },
      origin: "AWS_ACCESS_KEY_ID",
    });
    expect(await find({ ...env, AWS_PROFILE: "other" }, files)).toMatchObject({
      identity: { accessKeyId: "AKOTHER" },
      origin: "profile other of AWS",
    });
    expect(await find({}, files)).toMatchObject({ identity: { accessKeyId: "AKFILE" } });
  });

  test("files may lie elsewhere", async () => {
    const path = join(await temporaryDirectory(), "elsewhere");
    await writeFile(path, `[default]\n${keys}`);
    expect(await find({ AWS_SHARED_CREDENTIALS_FILE: path })).toMatchObject({ identity: { accessKeyId: "AKFILE" } });
    await writeFile(path, `[profile ci]\n${keys}`);
    expect(await find({ AWS_CONFIG_FILE: path, AWS_PROFILE: "ci" })).toMatchObject({
      identity: { accessKeyId: "AKFILE" },
    });
  });

  test("a process gives what it prints", async () => {
    const printed = JSON.stringify({ Version: 1, AccessKeyId: "AKPROC", SecretAccessKey: "p", Expiration: later });
    const script = join(await temporaryDirectory(), "login.sh");
    await writeFile(script, `echo '${printed}'`);
    const files = { config: `[default]\ncredential_process = sh ${script}\n` };
    expect(await find({}, files)).toMatchObject({
      identity: { accessKeyId: "AKPROC" },
      origin: "profile default of AWS",
    });
  });

  test("a role is taken on by the profile that it names, at STS of the registry's region", async () => {
    const role = "[profile ci]\nrole_arn = arn:aws:iam::2:role/ci\nsource_profile = base\n";
    const { transport, requests } = sts("AssumeRole");
    const files = { config: role, credentials: `[base]\n${keys}` };
    const login = await find({ AWS_PROFILE: "ci" }, files, transport);
    expect(login).toMatchObject({ identity: { accessKeyId: "AKROLE", sessionToken: "session" } });
    expect(login!.identity.expiration).toBeInstanceOf(Date);
    expect(requests).toHaveLength(1);
    expect(requests[0]!.url.host).toBe("sts.eu-west-1.amazonaws.com");
    expect(requests[0]!.text).toContain("RoleArn=arn%3Aaws%3Aiam%3A%3A2%3Arole%2Fci");
  });

  test.each([
    ["AWS_ENDPOINT_URL", "127.0.0.1:1"],
    ["AWS_ENDPOINT_URL_STS", "127.0.0.1:1"],
    ["AWS_ENDPOINT_URL_ECR", "sts.eu-west-1.amazonaws.com"],
  ])("a web identity of the variables buys a role, with %s at %s", async (name, host) => {
    const file = join(await temporaryDirectory(), "token");
    await writeFile(file, "eyJ.web.identity");
    const { transport, requests } = sts("AssumeRoleWithWebIdentity");
    const env = {
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: "arn:aws:iam::2:role/pod",
      [name]: "http://127.0.0.1:1",
    };
    expect(await find(env, {}, transport)).toMatchObject({ identity: { accessKeyId: "AKROLE" } });
    expect(requests[0]!.url.host).toBe(host);
    expect(requests[0]!.text).toContain("WebIdentityToken=eyJ.web.identity");
    expect(requests[0]!.headers["authorization"]).toBeUndefined();
  });

  test("a web identity of a profile buys its role", async () => {
    const file = join(await temporaryDirectory(), "token");
    await writeFile(file, "eyJ.web.identity");
    const { transport, requests } = sts("AssumeRoleWithWebIdentity");
    const config = `[default]\nrole_arn = arn:aws:iam::2:role/pod\nweb_identity_token_file = ${file}\n`;
    expect(await find({}, { config }, transport)).toMatchObject({ identity: { accessKeyId: "AKROLE" } });
    expect(requests).toHaveLength(1);
  });

  test("a container's login is asked for with its token", async () => {
    const sent: unknown[] = [];
    const url = await serve(({ headers }, response) => {
      sent.push(headers.authorization);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ AccessKeyId: "AKPOD", SecretAccessKey: "s", Token: "t", Expiration: later }));
    });
    const full = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/credentials` };
    expect(await find({ ...full, AWS_CONTAINER_AUTHORIZATION_TOKEN: "pod token" })).toMatchObject({
      identity: { accessKeyId: "AKPOD", sessionToken: "t" },
      origin: "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    });
    const file = join(await temporaryDirectory(), "token");
    await writeFile(file, "from a file");
    await find({ ...full, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file });
    expect(sent).toEqual(["pod token", "from a file"]);
  });

  test("the role of an EC2 instance comes by IMDSv2 alone", async () => {
    const asked: string[] = [];
    const url = await serve(({ method, url, headers }, response) => {
      asked.push([method, url, headers["x-aws-ec2-metadata-token"]].join(" ").trim());
      if (method === "PUT") response.end("metadata-token");
      else if (url?.endsWith("/security-credentials/")) response.end("my-role");
      else response.end(JSON.stringify({ AccessKeyId: "AKEC2", SecretAccessKey: "s", Token: "t", Expiration: later }));
    });
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await find({ AWS_EC2_METADATA_DISABLED: "false" })).toMatchObject({
      identity: { accessKeyId: "AKEC2" },
      origin: "the role of this EC2 instance",
    });
    expect(asked).toEqual([
      "PUT /latest/api/token",
      "GET /latest/meta-data/iam/security-credentials/ metadata-token",
      "GET /latest/meta-data/iam/security-credentials/my-role metadata-token",
    ]);
    asked.length = 0;
    expect(await find({ AWS_EC2_METADATA_DISABLED: "true" })).toBeUndefined();
    expect(asked).toEqual([]);
  });

  const isOfAmazon = existsSync(vendor) && readFileSync(vendor, "utf8").trim() === "Amazon EC2";
  test.skipIf(isOfAmazon)("where public images are pulled, machines of others do not ask it at all", async () => {
    const asked: unknown[] = [];
    const url = await serve((request) => void asked.push(request.url));
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url);
    onTestFinished(() => void vi.unstubAllEnvs());
    const context = serviceContext("public.ecr.aws", { transport: (request) => unreachable(request) });
    expect(await awsLogin(context, { region: "us-east-1", cautious: true })()).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test.each([
    ["says nothing", (): void => {}, ["PUT"]],
    [
      "is another cloud's",
      (_: unknown, response: { writeHead(status: number): { end(): void } }) => response.writeHead(404).end(),
      ["PUT"],
    ],
  ])("a metadata service that %s is no login, and is asked once", async (_, answer, wanted) => {
    const asked: unknown[] = [];
    const url = await serve((request, response) => {
      asked.push(request.method);
      answer(request, response);
    });
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await find({ AWS_EC2_METADATA_DISABLED: "" })).toBeUndefined();
    expect(asked).toEqual(wanted);
  });
});

describe("a login that is broken is told, and not passed over", () => {
  const role = "[profile ci]\nrole_arn = arn:aws:iam::2:role/ci\nsource_profile = base\n";
  const base = `[base]\n${keys}`;

  test.each([
    ["a profile that is not there", { AWS_PROFILE: "nope" }, {}, /profile nope/, /AWS_PROFILE/],
    [
      "a role that may not be taken on",
      { AWS_PROFILE: "ci" },
      { config: role, credentials: base },
      /sts:AssumeRole/,
      /trust policy/,
    ],
    [
      "roles in a circle",
      { AWS_PROFILE: "ci" },
      { config: role.replace("= base", "= ci") },
      /cycle/,
      /get-caller-identity/,
    ],
    [
      "a role that wants a second factor",
      { AWS_PROFILE: "ci" },
      { config: `${role}mfa_serial = arn:aws:iam::1:mfa/x\n`, credentials: base },
      /multi-factor/,
      /get-session-token/,
    ],
    ["a process that fails", {}, { config: "[default]\ncredential_process = false\n" }, /false/, /get-caller-identity/],
    [
      "a process that prints nonsense",
      {},
      { config: "[default]\ncredential_process = echo hi\n" },
      /invalid JSON/,
      /./,
    ],
    [
      "a web identity without its file",
      { AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent/token", AWS_ROLE_ARN: "arn:aws:iam::2:role/pod" },
      {},
      /\/nonexistent\/token/,
      /./,
    ],
    [
      "a container's address in the open",
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://evil.example/x" },
      {},
      /not accepted/,
      /./,
    ],
    ["a container's address that is none", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "::" }, {}, /Invalid URL/, /./],
    [
      "a container that is not there",
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:1/x" },
      {},
      /ECONNREFUSED/,
      /./,
    ],
  ])("%s", async (_, env, files, message, hint) => {
    const error = await thrown(find(env, files, forbidding));
    expect(error).toMatchObject({ name: "RegistryError", code: "UNAUTHORIZED" });
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(error.credential).toBeDefined();
    // oxlint-disable-next-line no-control-regex -- that there are none is the point
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  test("an SSO session that nobody logged in to", async () => {
    const sso = "sso_account_id = 123456789012\nsso_role_name = r\nsso_region = eu-west-1\n";
    const config = `[default]\n${sso}sso_start_url = https://sso.test.invalid/start\n`;
    const path = join(await temporaryDirectory(), "config");
    await writeFile(path, config);
    vi.stubEnv("AWS_CONFIG_FILE", path);
    onTestFinished(() => void vi.unstubAllEnvs());
    const error = await thrown(find({}, { config }));
    expect(error).toMatchObject({ code: "UNAUTHORIZED", hint: "run `aws sso login` with that profile" });
    expect(error.message).toMatch(/SSO session/);
  });

  test.each([
    ["ExpiredToken", "The security token included in the request is expired", "UNAUTHORIZED", /renew/],
    ["Throttling", "Rate exceeded", "TOOMANYREQUESTS", undefined],
  ])("STS that says %s (%s)", async (code, message, means, hint) => {
    const files = { config: role, credentials: base };
    const error = await thrown(find({ AWS_PROFILE: "ci" }, files, refusing(code, message)));
    expect(error).toMatchObject({ code: means, message: expect.stringContaining(message) as string });
    if (hint) expect(error.hint).toMatch(hint);
  });

  test("STS that cannot be reached is a matter of the network", async () => {
    const error = await thrown(find({ AWS_PROFILE: "ci" }, { config: role, credentials: base }));
    expect(error).toMatchObject({ code: "NETWORK", credential: "profile ci of AWS" });
  });
});
