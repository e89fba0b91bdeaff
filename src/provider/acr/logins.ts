import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CredentialContext } from "../provider.ts";
import type { Cloud } from "./cloud.ts";
import { httpClientOver } from "./http-client.ts";
import { managedIdentity } from "./managed-identity.ts";
import { hasMetadataService } from "./metadata-service.ts";

/** Tokens for a scope (`https://management.azure.com/.default`); Azure's library has such, which keep those that are still good. */
export interface TokenSource {
  getToken(scope: string): Promise<{ readonly token: string } | null>;
}

/** A way in which a machine may be logged in to Azure. */
export interface AzureLogin {
  /** What AZURE_TOKEN_CREDENTIALS calls it, in lower case, and the group that it is in. */
  readonly name: string;
  readonly group: "prod" | "dev";
  /** For people. */
  readonly origin: string;
  /** Whether it is worth trying: found out without the library, within a second. */
  isThere(): Promise<boolean>;
  /** Sends nothing yet. */
  open(): Promise<TokenSource>;
  /** Whether one that does not work may just not be there: no trouble of anybody's. */
  readonly isGuess?: boolean;
}

/** How long a command of Azure may take. */
const commandTimeout = 20_000;

/** All ways, in the order of the library's own DefaultAzureCredential; those of editors and desktops are left out. */
export function azureLogins(context: CredentialContext, cloud: Cloud): readonly AzureLogin[] {
  return [clientLogin(context, cloud), workloadLogin(context, cloud), managedLogin(context), ...commandLogins(context)];
}

function optionsOf({ env, transport }: CredentialContext, cloud: Cloud) {
  return {
    authorityHost: env["AZURE_AUTHORITY_HOST"] || cloud.authority,
    disableInstanceDiscovery: true,
    httpClient: httpClientOver(transport),
    retryOptions: { maxRetries: 0 },
    redirectOptions: { maxRetries: 0 },
  };
}

const isSet =
  ({ env }: CredentialContext, ...names: readonly string[]) =>
  async (): Promise<boolean> =>
    names.every((name) => env[name]);

/** A service principal with a secret or certificate (`EnvironmentCredential`). */
function clientLogin(context: CredentialContext, cloud: Cloud): AzureLogin {
  const {
    AZURE_TENANT_ID: tenant = "",
    AZURE_CLIENT_ID: client = "",
    AZURE_CLIENT_SECRET: secret,
    AZURE_CLIENT_CERTIFICATE_PATH: certificatePath = "",
    AZURE_CLIENT_CERTIFICATE_PASSWORD: certificatePassword,
    AZURE_CLIENT_SEND_CERTIFICATE_CHAIN: sendsChain = "",
  } = context.env;
  const proof = secret ? "AZURE_CLIENT_SECRET" : "AZURE_CLIENT_CERTIFICATE_PATH";
  return {
    name: "environmentcredential",
    group: "prod",
    origin: `AZURE_TENANT_ID, AZURE_CLIENT_ID and ${proof}`,
    isThere: isSet(context, "AZURE_TENANT_ID", "AZURE_CLIENT_ID", proof),
    async open() {
      const { ClientCertificateCredential, ClientSecretCredential } = await import("@azure/identity");
      const options = optionsOf(context, cloud);
      if (secret) return new ClientSecretCredential(tenant, client, secret, options);
      return new ClientCertificateCredential(
        tenant,
        client,
        { certificatePath, ...(certificatePassword && { certificatePassword }) },
        { ...options, sendCertificateChain: /^(?:1|true)$/i.test(sendsChain) },
      );
    },
  };
}

/** A token of Kubernetes or a CI system that Entra ID trusts. */
function workloadLogin(context: CredentialContext, cloud: Cloud): AzureLogin {
  const { AZURE_TENANT_ID: tenantId = "", AZURE_CLIENT_ID: clientId = "" } = context.env;
  const { AZURE_FEDERATED_TOKEN_FILE: tokenFilePath = "" } = context.env;
  return {
    name: "workloadidentitycredential",
    group: "prod",
    origin: "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE",
    isThere: isSet(context, "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"),
    async open() {
      const { WorkloadIdentityCredential } = await import("@azure/identity");
      return new WorkloadIdentityCredential({ ...optionsOf(context, cloud), tenantId, clientId, tokenFilePath });
    },
  };
}

/** The identity that Azure gave the machine, or the app that runs in its services. */
function managedLogin(context: CredentialContext): AzureLogin {
  const { AZURE_CLIENT_ID: clientId, IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header } = context.env;
  const isApp = Boolean(endpoint && header);
  return {
    name: "managedidentitycredential",
    group: "prod",
    origin: `the managed identity ${clientId ? "that AZURE_CLIENT_ID names" : `of this ${isApp ? "app" : "machine"}`}`,
    isGuess: !clientId && !isApp,
    isThere: async () => isApp || hasMetadataService(context),
    open: async () => managedIdentity(context),
  };
}

/** The logins of Azure's commands, which are asked where they have ever been used here. */
function commandLogins({ env, home }: CredentialContext): readonly AzureLogin[] {
  const tenant = env["AZURE_TENANT_ID"];
  const options = { processTimeoutInMs: commandTimeout, ...(tenant && { tenantId: tenant }) };
  return [
    {
      name: "azureclicredential",
      group: "dev",
      origin: "az login",
      isThere: () => hasSubscriptions(join(env["AZURE_CONFIG_DIR"] || join(home, ".azure"), "azureProfile.json")),
      async open() {
        const { AzureCliCredential } = await import("@azure/identity");
        return new AzureCliCredential(options);
      },
    },
    {
      name: "azuredeveloperclicredential",
      group: "dev",
      origin: "azd auth login",
      isThere: () => exists(join(env["AZD_CONFIG_DIR"] || join(home, ".azd"), "auth")),
      async open() {
        const { AzureDeveloperCliCredential } = await import("@azure/identity");
        return new AzureDeveloperCliCredential(options);
      },
    },
  ];
}

/** Whether `az` is logged in: it forgets its subscriptions when it logs out. */
async function hasSubscriptions(profile: string): Promise<boolean> {
  const text = await readFile(profile, "utf8").catch(() => "");
  return /"subscriptions"\s*:\s*\[\s*\{/.test(text);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
