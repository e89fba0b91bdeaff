import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Credential, CredentialSource } from "../../auth/credential.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { singleFlight } from "../../graph/single-flight.ts";
import type { CredentialContext } from "../provider.ts";
import { gcloudFolder, gcloudToken } from "./gcloud.ts";
import { buyToken, type GoogleToken } from "./google-token.ts";
import { parseKeyFile, type KeyFile } from "./key-file.ts";
import { machineToken } from "./metadata-server.ts";

/** The user whose password is an access token, at Google's registries. */
export const tokenUser = "oauth2accesstoken";

/** In milliseconds: so long before it expires a token is bought anew, and so long it is believed that there is no login. */
const margin = 60_000;

interface Login extends GoogleToken {
  readonly origin: string;
}

/**
 * Google's application default credentials, in their order: the file that GOOGLE_APPLICATION_CREDENTIALS names, the one that
 * gcloud wrote, the metadata server; last, gcloud itself. What is broken is warned of and not used, for many images
 * of these hosts are public.
 */
export function googleCredentials(context: CredentialContext): CredentialSource {
  const { clock, onWarning } = context;
  let flight = singleFlight<"login", Login | undefined>();
  let stale = Infinity;
  const work = async (signal?: AbortSignal): Promise<Login | undefined> => {
    let login: Login | undefined;
    try {
      login = await findLogin(context, signal);
    } catch (error) {
      if (!isRegistryError(error) || error.code === "ABORTED" || signal?.aborted) throw error;
      onWarning?.([`no login of Google is used: ${error.message}`, error.hint].filter(Boolean).join("; "));
    }
    // Also where the clocks differ, and it has run out when it comes, none is bought for each request.
    stale = Math.max(login ? login.expires - margin : 0, clock.now() + margin);
    return login;
  };
  return {
    name: "the application default credentials of Google",
    async find(_host, _path, signal) {
      if (clock.now() >= stale) {
        flight = singleFlight();
        stale = Infinity;
      }
      const { value } = await flight.run("login", signal, () => work(signal));
      return value && asCredential(value);
    },
  };
}

function asCredential({ token, origin, expires }: Login): Credential {
  return { kind: "basic", username: tokenUser, password: token, origin, expires: expires - margin };
}

async function findLogin(context: CredentialContext, signal?: AbortSignal): Promise<Login | undefined> {
  const { env, home, clock } = context;
  const file = await findKeyFile(context);
  if (file) {
    const whose = file.account === undefined ? "" : ` (${file.account})`;
    return { ...(await buyToken(file, context, signal)), origin: `${file.origin}${whose}` };
  }
  const machine = await machineToken(context, signal && { signal });
  if (machine) return { ...machine, origin: "the metadata server of Google (this machine's service account)" };
  const gcloud = await gcloudToken({ env, home }, clock.now(), signal);
  return gcloud && { ...gcloud, origin: "gcloud config config-helper" };
}

async function findKeyFile({ env, home }: CredentialContext): Promise<KeyFile | undefined> {
  const variable = "GOOGLE_APPLICATION_CREDENTIALS";
  const named = env[variable];
  const path = named || join(gcloudFolder(env, home), "application_default_credentials.json");
  try {
    const text = await readFile(path, "utf8");
    return parseKeyFile(text, named ? `${path} (${variable})` : path);
  } catch (error) {
    if (isRegistryError(error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (!named && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    throw new RegistryError("INVALID", `cannot read ${path}${named ? ` (${variable})` : ""}: ${code ?? "?"}`);
  }
}
