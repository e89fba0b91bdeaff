import { Secret } from "../../auth/secret.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { Transport } from "../../transport/transport.ts";
import type { CredentialContext } from "../provider.ts";
import type { Cloud } from "./cloud.ts";
import { azureLogins, type AzureLogin, type TokenSource } from "./logins.ts";

/** A token of Microsoft Entra ID. */
export interface AzureToken {
  readonly token: Secret;
  /** Which login it is of, for people. */
  readonly origin: string;
}

export interface AzureTokens {
  /**
   * A token for an audience by the first login that gives one; undefined where there is no login. Throws UNAUTHORIZED
   * where one is there that does not work, INVALID where the environment wants one that does not exist.
   */
  obtain(audience: string): Promise<AzureToken | undefined>;
}

/** The tokens of the machine's logins to a cloud. */
export function azureTokens(context: CredentialContext, cloud: Cloud): AzureTokens {
  const network = watched(context.transport);
  const logins = azureLogins({ ...context, transport: network.transport }, cloud);
  const opened = new Map<string, Promise<TokenSource>>();
  let chosen: AzureLogin | undefined;
  const ask = async (login: AzureLogin, audience: string): Promise<AzureToken> => {
    const known = opened.get(login.name) ?? login.open();
    opened.set(login.name, known);
    try {
      const answer = await (await known).getToken(`${audience}/.default`);
      if (!answer) throw new Error("there is no token");
      chosen = login;
      return { token: new Secret(answer.token), origin: login.origin };
    } catch (error) {
      throw network.fault() ?? error;
    }
  };
  return {
    async obtain(audience) {
      let failure: RegistryError | undefined;
      for (const login of chosen ? [chosen] : wanted(logins, context)) {
        if (login !== chosen && !(await login.isThere())) continue;
        network.forget();
        try {
          return await ask(login, audience);
        } catch (error) {
          if (login.isGuess) continue;
          failure ??= asFailure(context, login, error);
          if (!isUnavailable(error)) break;
        }
      }
      if (failure) throw failure;
      return undefined;
    },
  };
}

interface Watched {
  readonly transport: Transport;
  /** How the last request failed that got no answer: the library says nothing of that but a number. */
  readonly fault: () => unknown;
  forget(): void;
}

function watched(transport: Transport): Watched {
  let fault: unknown;
  return {
    async transport(request) {
      try {
        return await transport(request);
      } catch (error) {
        if (!request.signal?.aborted) fault = error;
        throw error;
      }
    },
    fault: () => fault,
    forget: () => void (fault = undefined),
  };
}

/** Those that AZURE_TOKEN_CREDENTIALS leaves, which Azure's libraries all read. */
function wanted(logins: readonly AzureLogin[], { env }: CredentialContext): readonly AzureLogin[] {
  const name = (env["AZURE_TOKEN_CREDENTIALS"] ?? "").trim().toLowerCase();
  if (name === "") return logins;
  const left = logins.filter((login) => login.name === name || login.group === name);
  if (left.length > 0) return left;
  throw new RegistryError(
    "INVALID",
    `AZURE_TOKEN_CREDENTIALS is ${JSON.stringify(name)}, which is no login known here`,
    {
      hint: `one of prod, dev, ${logins.map((login) => login.name).join(", ")}`,
    },
  );
}

/** Whether the library says that the login is not there rather than wrong: the next is tried then. */
function isUnavailable(error: unknown): boolean {
  return isRegistryError(error) || (error instanceof Error && error.name === "CredentialUnavailableError");
}

/** What Entra ID's numbers call for ("Microsoft Entra authentication and authorization error codes"). */
const remedies: readonly { readonly text: RegExp; readonly hint: string }[] = [
  { text: /AADSTS7000215/, hint: "AZURE_CLIENT_SECRET is not right: it takes the secret's value, not its ID" },
  { text: /AADSTS7000222/, hint: "the secret has expired: make a new one for the application" },
  { text: /AADSTS(?:90002|900023)\b/, hint: "there is no such tenant: see AZURE_TENANT_ID and the cloud" },
  { text: /AADSTS700016/, hint: "the application is of another tenant: see AZURE_TENANT_ID and AZURE_CLIENT_ID" },
  { text: /AADSTS(?:700021|70021|700211|700213|700024)\b/, hint: "see the federated credentials of the application" },
  { text: /AADSTS(?:700082|70043|50173|50076|50078|50079|50158)\b|az login/i, hint: "log in again: `az login`" },
  { text: /azd auth login/i, hint: "log in again: `azd auth login`" },
  { text: /Identity not found/i, hint: "give the machine an identity, or name the right one by AZURE_CLIENT_ID" },
];

function asFailure({ env }: CredentialContext, { origin }: AzureLogin, error: unknown): RegistryError {
  const text = error instanceof Error ? error.message : String(error);
  const hint = remedies.find((remedy) => remedy.text.test(text))?.hint;
  const words = wordsOf(text, env["AZURE_CLIENT_SECRET"]);
  return new RegistryError("UNAUTHORIZED", `Azure gives no token to ${origin}: ${words}`, {
    credential: origin,
    ...(hint && { hint }),
  });
}

/** What Entra ID says, where it is that who speaks, else the library's first line; without secrets. */
function wordsOf(text: string, secret: string | undefined): string {
  const line = /AADSTS\d+:[^\r\n]*/.exec(text)?.[0] ?? text.trim().split(/[\r\n]/)[0] ?? "";
  const plain = line.replace(/\s*(?:Trace ID|Correlation ID|Timestamp):.*$/, "").replace(/[\p{Cc}\p{Cf}]+/gu, " ");
  return (secret ? plain.replaceAll(secret, "[secret]") : plain).slice(0, 300);
}

/** Whether a failure is of the audience alone: a tenant where the registries' is not known, or not allowed to this login. */
export function isOfAudience(error: RegistryError): boolean {
  return /AADSTS(?:500011|650057|65001|500014)\b|invalid_resource/.test(error.message);
}
