import type { ECRPUBLIC } from "@aws-sdk/client-ecr-public";
import type { Credential } from "../../auth/credential.ts";
import { until } from "../../auth/until.ts";
import { isRegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { awsCalls, type AwsCalls, type AwsPlace } from "../aws/ask.ts";
import { endpointOf } from "../aws/endpoint.ts";
import { sdkHandler } from "../aws/handler.ts";
import { awsLogin, type AwsLogin } from "../aws/login.ts";
import type { Passing } from "../aws/renewed.ts";
import { readToken, registryLogin } from "../aws/token.ts";
import type { CredentialContext } from "../provider.ts";

/** Its API answers in one region only, for all of the world. */
const region = "us-east-1";

/** ECR Public's own API, for the repositories of the login's account. */
export interface EcrPublic extends AwsCalls {
  readonly sdk: ECRPUBLIC;
  readonly host: string;
  /** The first parts of the names that the account's repositories have in references. */
  aliases(call?: Call): Promise<ReadonlySet<string>>;
}

/** Opens the API as who this machine is to AWS; without a login, undefined. */
export async function openPublic(
  context: CredentialContext,
  host: string,
  call: Call = {},
): Promise<EcrPublic | undefined> {
  const find = awsLogin(context, { region, cautious: true });
  const login = await find(call.signal);
  if (!login) return undefined;
  const sdk = await client(context, host, async () => (await find()) ?? login);
  const calls = awsCalls(placeOf(context, host));
  let own: Promise<ReadonlySet<string>> | undefined;
  return {
    sdk,
    host,
    ...calls,
    aliases(more) {
      // For all who ask: the first of them may give up.
      own ??= readAliases(sdk, host, calls).catch((error: unknown) => {
        own = undefined;
        throw error;
      });
      return until(own, more?.signal);
    },
  };
}

async function readAliases(sdk: ECRPUBLIC, host: string, { pages }: AwsCalls): Promise<ReadonlySet<string>> {
  const question = { what: `find your own registry at ${host}`, action: "ecr-public:DescribeRegistries" };
  const all = pages(question, (nextToken, options) =>
    sdk.describeRegistries(nextToken === undefined ? {} : { nextToken }, options),
  );
  const names = new Set<string>();
  for await (const { registries = [] } of all) {
    for (const { name } of registries.flatMap(({ aliases = [] }) => aliases)) if (name) names.add(name);
  }
  return names;
}

/**
 * The registry's own login. It serves pushes and higher limits: images are pulled by everybody, so where it cannot be
 * had, that is a warning and no error, and nobody waits long for it.
 */
export async function findPublicLogin(
  context: CredentialContext,
  host: string,
  signal?: AbortSignal,
): Promise<Credential | undefined> {
  const { endpoint = "" } = endpointOf("ECR_PUBLIC", context.env, context.api(host));
  const get = registryLogin(context, `ecr-public ${endpoint}`, async () => {
    try {
      return await getToken(context, host);
    } catch (error) {
      if (!isRegistryError(error) || error.code === "ABORTED") throw error;
      context.onWarning?.(`${error.message}; going on without a login${error.hint ? ` (${error.hint})` : ""}`);
      return undefined;
    }
  });
  return get(signal);
}

async function getToken(context: CredentialContext, host: string): Promise<Passing<Credential> | undefined> {
  const find = awsLogin(context, { region, cautious: true });
  const login = await find();
  if (!login) return undefined;
  const sdk = await client(context, host, async () => (await find()) ?? login, true);
  const question = { what: `get a login for ${host}`, action: "ecr-public:GetAuthorizationToken" };
  const { ask } = awsCalls({ ...placeOf(context, host), retries: 0 });
  const { authorizationData } = await ask(question, () => sdk.getAuthorizationToken());
  return readToken(authorizationData, `ecr-public:GetAuthorizationToken by ${login.origin}`);
}

async function client(
  context: CredentialContext,
  host: string,
  login: () => Promise<AwsLogin>,
  brief = false,
): Promise<ECRPUBLIC> {
  const { ECRPUBLIC } = await import("@aws-sdk/client-ecr-public");
  return new ECRPUBLIC({
    region,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    ...endpointOf("ECR_PUBLIC", context.env, context.api(host)),
    requestHandler: sdkHandler(context, { brief }),
    credentials: async () => (await login()).identity,
    maxAttempts: 1,
  });
}

function placeOf({ clock, retries }: CredentialContext, host: string): AwsPlace {
  return { host, region, clock, retries, place: "your own public registry" };
}
