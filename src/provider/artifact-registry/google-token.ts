import type * as GoogleAuth from "google-auth-library";
import type { AuthClient, ExternalAccountAuthorizedUserClientOptions, gaxios } from "google-auth-library";
import { Secret } from "../../auth/secret.ts";
import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { messageIn } from "../api-error.ts";
import { jsonApi } from "../json-api.ts";
import type { CredentialContext } from "../provider.ts";
import { fetchOver } from "./fetch-over.ts";
import { sourceOf, type KeyFile } from "./key-file.ts";

/** A token for all of Google's APIs and the registry. */
export interface GoogleToken {
  readonly token: Secret;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

type Network = Pick<CredentialContext, "transport" | "isInsecure" | "clock">;

const scope = "https://www.googleapis.com/auth/cloud-platform";
const lifetime = 3600;

/**
 * Buys a token with what is in a file of Google's logins, by Google's library. Throws UNAUTHORIZED where Google refuses,
 * and INVALID where the file cannot be used.
 */
export async function buyToken(file: KeyFile, network: Network, signal?: AbortSignal): Promise<GoogleToken> {
  if (file.type === "impersonated_service_account") return impersonate(file, network, signal);
  const library = await import("google-auth-library");
  const transporter = transporterOver(library.gaxios, network, signal);
  try {
    const client = clientOf(file, library, transporter);
    const { token } = await client.getAccessToken();
    if (!token) throw new Error("no access token came");
    const expires = client.credentials.expiry_date ?? network.clock.now() + lifetime * 1000;
    return { token: new Secret(token), expires };
  } catch (error) {
    throw refusal(error, file);
  }
}

/** The library's own retries are left out: the transport has its own. */
function transporterOver(
  { Gaxios }: typeof gaxios,
  { transport, isInsecure }: Network,
  signal: AbortSignal | undefined,
): gaxios.Gaxios {
  const transporter = new Gaxios({
    fetchImplementation: fetchOver(transport, isInsecure, signal),
    noProxy: [/^/], // That is the transport's business.
  });
  transporter.interceptors.request.add({
    resolved: async (request) => {
      const { retry: _retry, retryConfig: _retryConfig, ...once } = request;
      return once;
    },
  });
  return transporter;
}

type Client = AuthClient & { getAccessToken(): Promise<{ token?: string | null }> };

function clientOf({ type, keys, origin }: KeyFile, library: typeof GoogleAuth, transporter: gaxios.Gaxios): Client {
  const text = (name: string): string => keys[name] as string;
  if (type === "service_account") {
    return new library.JWT({ email: text("client_email"), key: text("private_key"), scopes: [scope], transporter });
  }
  if (type === "authorized_user") {
    const [clientId, clientSecret, refreshToken] = ["client_id", "client_secret", "refresh_token"].map(text);
    return new library.UserRefreshClient({ clientId, clientSecret, refreshToken, transporter });
  }
  if (type === "external_account_authorized_user") {
    const options = { ...keys, transporter } as unknown as ExternalAccountAuthorizedUserClientOptions;
    return new library.ExternalAccountAuthorizedUserClient(options);
  }
  return federated(keys, origin, library, transporter);
}

function federated(
  keys: KeyFile["keys"],
  origin: string,
  { AwsClient, IdentityPoolClient, PluggableAuthClient }: typeof GoogleAuth,
  transporter: gaxios.Gaxios,
): Client {
  const source = keys["credential_source"] as Readonly<Record<string, unknown>>;
  if (source["certificate"] !== undefined) {
    throw new RegistryError("INVALID", `${origin} wants a client certificate shown to Google, which Gantry does not`, {
      hint: "log in with what `gcloud auth print-access-token` says",
    });
  }
  const options = { ...keys, scopes: [scope], transporter } as unknown as never;
  const isProgram = source["executable"] !== undefined;
  const Kind =
    source["environment_id"] !== undefined ? AwsClient : isProgram ? PluggableAuthClient : IdentityPoolClient;
  const client = new Kind(options);
  // The library forgets to hand it on.
  client["stsCredential"]["transporter"] = transporter;
  return client;
}

/** Has the source's token buy that of the account that it may act as. */
async function impersonate(file: KeyFile, network: Network, signal?: AbortSignal): Promise<GoogleToken> {
  const source = await buyToken(sourceOf(file), network, signal);
  const url = file.keys["service_account_impersonation_url"] as string;
  if (!URL.canParse(url)) throw unusable(file, 'its "service_account_impersonation_url" is no URL');
  const { transport, isInsecure } = network;
  const api = jsonApi({ transport, base: new URL(url), title: "Google", isInsecure });
  const { delegates } = file.keys;
  try {
    const { body } = await api.send("POST", url, {
      what: `act as ${file.account ?? "the service account"} of ${file.origin}`,
      headers: { authorization: `Bearer ${source.token.reveal()}` },
      body: { scope: [scope], lifetime: `${lifetime}s`, ...(Array.isArray(delegates) && { delegates }) },
      ...(signal && { signal }),
    });
    const { accessToken, expireTime } = isObject(body) ? body : {};
    if (typeof accessToken !== "string") throw unusable(file, "no access token came");
    const expires = typeof expireTime === "string" ? Date.parse(expireTime) : NaN;
    return { token: new Secret(accessToken), expires: expires || network.clock.now() + lifetime * 1000 };
  } catch (error) {
    if (!isRegistryError(error, "DENIED")) throw error;
    throw error.with({ hint: "the account of the file needs roles/iam.serviceAccountTokenCreator on that one" });
  }
}

const unusable = ({ origin }: KeyFile, why: string): RegistryError =>
  new RegistryError("INVALID", `cannot log in with ${origin}: ${why}`);

/** What the library threw, said with the file it is about: never with what the library had sent or read. */
function refusal(error: unknown, file: KeyFile): unknown {
  for (let inner = error; inner instanceof Error; inner = inner.cause) if (isRegistryError(inner)) return inner;
  const response = isObject(error) && isObject(error["response"]) ? error["response"] : undefined;
  if (!response) return unusable(file, reasonOf(error, file));
  const { data, status } = response;
  const code = isObject(data) && typeof data["error"] === "string" ? data["error"] : undefined;
  const words = [...new Set([code, messageIn(data)])].filter(Boolean).join(": ") || `it answered ${String(status)}`;
  const isPassing = typeof status === "number" && (status === 429 || status >= 500);
  return new RegistryError(
    isPassing ? "UNAVAILABLE" : "UNAUTHORIZED",
    `Google does not take the login of ${file.account ?? file.type} in ${file.origin}: ${words}`,
    { retryable: isPassing, ...(typeof status === "number" && { status }), hint: wayOut(words, file) },
  );
}

/** Errors of JSON.parse quote what was read, and those of programs what was written, after a colon: a token may be in there. */
function reasonOf(error: unknown, { type }: KeyFile): string {
  if (type === "service_account") return 'its "private_key" is no key in PEM form';
  if (!(error instanceof Error)) return "its source of tokens fails";
  return error instanceof SyntaxError || error.cause instanceof SyntaxError
    ? "what its source of tokens gives is no JSON"
    : error.message.split(": ")[0]!.slice(0, 200);
}

function wayOut(words: string, { type }: KeyFile): string {
  if (/\b(?:iat|exp)\b|short-lived/i.test(words)) return "see whether the clock of this machine is right";
  if (type === "service_account") return "the key may have been deleted, or its account disabled: make a new key";
  if (type === "authorized_user") return "log in again: `gcloud auth application-default login`";
  return "see whether the pool, its provider and its conditions take this very token: audience, issuer, attributes";
}
