import type * as CredentialProviders from "@aws-sdk/credential-providers";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../../auth/credential.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { CredentialContext } from "../provider.ts";
import { endpointOf } from "./endpoint.ts";
import { isThrottled } from "./error.ts";
import { sdkHandler, type SdkHandler } from "./handler.ts";
import { renewed, type Passing } from "./renewed.ts";
import { shared } from "./shared.ts";

/** Who we are to AWS, as the SDK takes it. */
export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** An AWS login, and where it was found, for people. */
export interface AwsLogin {
  readonly identity: AwsIdentity;
  readonly origin: string;
}

export interface LoginOptions {
  /** Where STS is asked for roles. */
  readonly region: string;
  /**
   * Where most people have no login, and none should wait for it: the metadata service is asked only on machines that say
   * they are EC2's, and each request is sent once.
   */
  readonly cautious?: boolean;
}

/**
 * The AWS login of this machine, in the order of the SDK's default chain: variables (unless AWS_PROFILE is set), the
 * profile with its roles, SSO, processes and web identities, the web identity of the variables, the container's, the
 * machine's. None is `undefined`; one that is broken throws UNAUTHORIZED and is not passed over for a later one. Each is
 * kept until shortly before it expires, for all registries of a client.
 */
export function awsLogin(
  context: CredentialContext,
  options: LoginOptions,
): (signal?: AbortSignal) => Promise<AwsLogin | undefined> {
  return shared(context.transport, options.cautious ? "cautious login" : "login", () =>
    renewed(context.clock, async (): Promise<Passing<AwsLogin | undefined>> => {
      const value = await findLogin(context, options);
      return { value, expires: value ? value.identity.expiration?.getTime() : 0 };
    }),
  );
}

/** The error for what takes an AWS login, where there is none. */
export function noAwsLogin(host: string): RegistryError {
  return new RegistryError("UNAUTHORIZED", `the API of AWS for ${host} takes an AWS login, and there is none here`, {
    host,
    hint: "log in to AWS (`aws sso login`, `aws configure`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; a login of the registry alone does not do",
  });
}

interface Search {
  readonly sdk: typeof CredentialProviders;
  readonly context: CredentialContext;
  readonly requestHandler: SdkHandler;
  /** For the clients of STS. */
  readonly sts: object;
}

async function findLogin(context: CredentialContext, options: LoginOptions): Promise<AwsLogin | undefined> {
  const { env } = context;
  const given = ofVariables(env);
  if (given) return given;
  const sdk = await import("@aws-sdk/credential-providers");
  const requestHandler = sdkHandler(context, { brief: options.cautious ?? false });
  const sts = { requestHandler, region: options.region, ...endpointOf("STS", env), maxAttempts: 1 };
  const search = { sdk, context, requestHandler, sts };
  return (
    (await ofProfile(search)) ??
    (await ofWebIdentity(search)) ??
    (await ofContainer(search)) ??
    (await ofMachine(search, options.cautious ?? false))
  );
}

function ofVariables(env: Environment): AwsLogin | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
  if (env["AWS_PROFILE"] || !accessKeyId || !secretAccessKey) return undefined;
  const identity = { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) };
  return { identity, origin: "AWS_ACCESS_KEY_ID" };
}

/**
 * What the profile says. The SDK can be told where the files are, but there are things that it reads from the process
 * itself all the same: for SSO, the files again and the cache of logins; for `credential_source`, the variables.
 */
async function ofProfile({ sdk, context, requestHandler, sts }: Search): Promise<AwsLogin | undefined> {
  const { env, home } = context;
  const profile = env["AWS_PROFILE"] || "default";
  const origin = `profile ${profile} of AWS`;
  const provider = sdk.fromIni({
    profile,
    filepath: env["AWS_SHARED_CREDENTIALS_FILE"] || join(home, ".aws", "credentials"),
    configFilepath: env["AWS_CONFIG_FILE"] || join(home, ".aws", "config"),
    ignoreCache: true,
    clientConfig: { requestHandler, maxAttempts: 1 },
    parentClientConfig: { requestHandler },
    logger: silence,
    roleAssumer: (masterCredentials, params) =>
      sdk.fromTemporaryCredentials({ masterCredentials, params, clientConfig: sts })(),
    roleAssumerWithWebIdentity: ({ RoleArn: roleArn, WebIdentityToken: webIdentityToken, RoleSessionName }) =>
      sdk.fromWebToken({ roleArn, webIdentityToken, roleSessionName: RoleSessionName, clientConfig: sts })(),
  });
  try {
    return { identity: await provider(), origin };
  } catch (error) {
    const isEmpty = error instanceof Error && error.message.includes(`using profile: [${profile}]`);
    if (isEmpty && !env["AWS_PROFILE"]) return undefined;
    throw broken(origin, error, isEmpty ? "AWS_PROFILE names a profile that is not there, or has no login" : undefined);
  }
}

async function ofWebIdentity({ sdk, context: { env }, sts }: Search): Promise<AwsLogin | undefined> {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: roleArn, AWS_ROLE_SESSION_NAME: session } = env;
  if (!file || !roleArn) return undefined;
  const origin = `AWS_WEB_IDENTITY_TOKEN_FILE (${file}) for the role ${roleArn}`;
  const provider = sdk.fromTokenFile({
    webIdentityTokenFile: file,
    roleArn,
    ...(session && { roleSessionName: session }),
    clientConfig: sts,
    logger: silence,
  });
  return { identity: await provider().catch((error: unknown) => fail(origin, error)), origin };
}

/** ECS, CodeBuild, EKS: the SDK asks these by its own sockets, as they are on this machine or link-local, where no proxy is. */
async function ofContainer({ sdk, context: { env } }: Search): Promise<AwsLogin | undefined> {
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] ?? "";
  const full = relative ? "" : (env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] ?? "");
  if (!relative && !full) return undefined;
  const origin = `AWS_CONTAINER_CREDENTIALS_${relative ? "RELATIVE" : "FULL"}_URI`;
  const file = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] ?? "";
  try {
    const provider = sdk.fromHttp({
      awsContainerCredentialsRelativeUri: relative,
      awsContainerCredentialsFullUri: full,
      awsContainerAuthorizationTokenFile: file,
      awsContainerAuthorizationToken: file ? "" : (env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] ?? ""),
      timeout: 1000,
      maxRetries: 1,
      logger: silence,
    });
    return { identity: await provider(), origin };
  } catch (error) {
    throw broken(origin, error);
  }
}

/**
 * IMDSv2, given up after a second of silence. Its other place (AWS_EC2_METADATA_SERVICE_ENDPOINT) the SDK reads from the
 * process's own variables: it can be given none.
 */
async function ofMachine({ sdk, context: { env } }: Search, cautious: boolean): Promise<AwsLogin | undefined> {
  if (/^(?!false$)./i.test(env["AWS_EC2_METADATA_DISABLED"] ?? "")) return undefined;
  if (cautious && !env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] && !(await isOfAmazon())) return undefined;
  const options = { timeout: 1000, maxRetries: 0, ec2MetadataV1Disabled: true, logger: silence };
  const identity = await sdk
    .fromInstanceMetadata(options)()
    .catch(() => undefined);
  return identity && { identity, origin: "the role of this EC2 instance" };
}

async function isOfAmazon(): Promise<boolean> {
  const vendor = await readFile("/sys/devices/virtual/dmi/id/sys_vendor", "utf8").catch(() => "");
  return vendor.trim() === "Amazon EC2";
}

const nothing = (): void => {};
/** What the SDK would write to the terminal is in the errors that it throws. */
const silence = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function fail(origin: string, error: unknown): never {
  throw broken(origin, error);
}

/** The error for a login that is there and does not work. */
function broken(origin: string, error: unknown, hint?: string): RegistryError {
  if (isRegistryError(error)) {
    const { code, message, stack: _, name: __, ...details } = error;
    return new RegistryError(code, `the login of ${origin} cannot be had: ${message}`, {
      ...details,
      credential: origin,
    });
  }
  const said = plainText(error instanceof Error ? error.message : String(error));
  if (isThrottled(error)) {
    return new RegistryError("TOOMANYREQUESTS", `the login of ${origin} cannot be had: ${said}`, {
      credential: origin,
      retryable: true,
    });
  }
  return new RegistryError("UNAUTHORIZED", `the login of ${origin} does not work: ${said}`, {
    credential: origin,
    hint: hint ?? hintFor(said),
  });
}

function hintFor(said: string): string {
  if (/\bSSO\b|sso login/i.test(said)) return "run `aws sso login` with that profile";
  if (/expired/i.test(said)) return "renew it, or log in to AWS again";
  if (/multi-factor|MFA/.test(said)) return "get a session first: `aws sts get-session-token`, then set its variables";
  if (/sts:AssumeRole/.test(said)) return "let the role's trust policy name whoever takes it on";
  return "see whether `aws sts get-caller-identity` works with it";
}
