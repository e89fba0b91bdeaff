import type { ECR } from "@aws-sdk/client-ecr";
import type { Credential } from "../../auth/credential.ts";
import type { Call } from "../../store/store.ts";
import { awsCalls, type AwsCalls, type AwsPlace } from "../aws/ask.ts";
import { endpointOf, type EndpointSettings } from "../aws/endpoint.ts";
import { sdkHandler } from "../aws/handler.ts";
import { awsLogin, type AwsLogin } from "../aws/login.ts";
import { readToken, registryLogin } from "../aws/token.ts";
import type { CredentialContext } from "../provider.ts";
import { ecrPlace, type EcrPlace } from "./host.ts";

/** ECR's own API, for one registry. */
export interface Ecr extends AwsCalls {
  readonly sdk: ECR;
  readonly host: string;
  /** For `registryId`: the registry is that of the login where the host does not name it. */
  readonly registry: { readonly registryId?: string };
}

/** Opens the API as who this machine is to AWS; without a login, undefined. */
export async function openEcr(context: CredentialContext, host: string, call: Call = {}): Promise<Ecr | undefined> {
  const place = ecrPlace(host, context.env);
  const find = awsLogin(context, place);
  const login = await find(call.signal);
  if (!login) return undefined;
  const sdk = await client(context, host, place, async () => (await find()) ?? login);
  const registry = place.account === undefined ? {} : { registryId: place.account };
  return { sdk, host, registry, ...awsCalls(placeOf(context, host, place)) };
}

/** The registry's own login: the user AWS, and a token for all registries of its region that the AWS login may reach. */
export async function findEcrLogin(
  context: CredentialContext,
  host: string,
  signal?: AbortSignal,
): Promise<Credential | undefined> {
  const place = ecrPlace(host, context.env);
  const find = awsLogin(context, place);
  const login = await find(signal);
  if (!login) return undefined;
  const { region, fips, dualStack } = place;
  const { endpoint = "" } = endpointFor(context, host);
  const key = ["ecr", region, fips, dualStack, endpoint].join(" ");
  const get = registryLogin(context, key, async () => {
    const sdk = await client(context, host, place, async () => (await find()) ?? login);
    const question = { what: `get a login for ${host}`, action: "ecr:GetAuthorizationToken" };
    const { ask } = awsCalls(placeOf(context, host, place));
    const { authorizationData } = await ask(question, () => sdk.getAuthorizationToken());
    return readToken(authorizationData?.[0], `ecr:GetAuthorizationToken by ${login.origin}`);
  });
  return get(signal);
}

function endpointFor({ api, env }: CredentialContext, host: string): EndpointSettings {
  return endpointOf("ECR", env, api(host));
}

async function client(
  context: CredentialContext,
  host: string,
  { region, fips, dualStack }: EcrPlace,
  login: () => Promise<AwsLogin>,
): Promise<ECR> {
  const { ECR } = await import("@aws-sdk/client-ecr");
  return new ECR({
    region,
    useFipsEndpoint: fips,
    useDualstackEndpoint: dualStack,
    ...endpointFor(context, host),
    requestHandler: sdkHandler(context),
    credentials: async () => (await login()).identity,
    maxAttempts: 1,
  });
}

function placeOf({ clock, retries }: CredentialContext, host: string, { account, region }: EcrPlace): AwsPlace {
  return { host, region, clock, retries, place: account === undefined ? region : `account ${account} in ${region}` };
}
