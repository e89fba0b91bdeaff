import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../../auth/credential.ts";
import { findProgram, runProgram } from "../../auth/helper-process.ts";
import { Secret } from "../../auth/secret.ts";
import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import type { GoogleToken } from "./google-token.ts";

/** In milliseconds: it is a Python program, and renews its token by the network. */
const timeout = 15_000;
const loginVariables = ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"];
const args = ["config", "config-helper", "--min-expiry=5m", "--format=json(credential)"];

/** The folder in which gcloud keeps what it knows, and where it puts application default credentials. */
export function gcloudFolder(env: Environment, home: string): string {
  const own = env["CLOUDSDK_CONFIG"];
  if (own) return own;
  const roaming = process.platform === "win32" ? env["APPDATA"] : undefined;
  return roaming ? join(roaming, "gcloud") : join(home, ".config", "gcloud");
}

/**
 * The token of whom gcloud is logged in as; undefined where it is not installed, or nobody ever logged in: then it is not
 * even started, which takes a second.
 */
export async function gcloudToken(
  { env, home }: { readonly env: Environment; readonly home: string },
  now: number,
  signal?: AbortSignal,
): Promise<GoogleToken | undefined> {
  const program = await findProgram("gcloud", env);
  if (program === undefined || !(await hasLogin(env, home))) return undefined;
  const { code, stdout, stderr, cut } = await runProgram(program, args, "", {
    env: { ...env, CLOUDSDK_CORE_DISABLE_PROMPTS: "1" },
    timeout,
    signal,
  });
  if (code !== 0 && /active account/.test(stderr)) return undefined;
  if (code !== 0 || cut) throw failed(cut ? "takes too long" : `ends with ${code}: ${firstLine(stderr)}`);
  return readToken(stdout, now);
}

async function hasLogin(env: Environment, home: string): Promise<boolean> {
  if (loginVariables.some((name) => env[name])) return true;
  return access(join(gcloudFolder(env, home), "credentials.db")).then(
    () => true,
    () => false,
  );
}

function readToken(text: string, now: number): GoogleToken {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw failed("writes no JSON");
  }
  const credential = isObject(body) && isObject(body["credential"]) ? body["credential"] : {};
  const { access_token: token, token_expiry: expiry } = credential;
  if (typeof token !== "string" || token === "") throw failed("gives no access token");
  const expires = typeof expiry === "string" ? Date.parse(expiry) : NaN;
  // A token from a file comes without a time.
  return { token: new Secret(token), expires: expires || now + 5 * 60 * 1000 };
}

const failed = (why: string): RegistryError =>
  new RegistryError("UNAUTHORIZED", `gcloud config config-helper ${why}`, { hint: "log in: `gcloud auth login`" });

const firstLine = (text: string): string =>
  (text.split("\n").find((line) => line.trim() !== "") ?? "it says nothing").replace(/\p{Cc}/gu, " ").slice(0, 300);
