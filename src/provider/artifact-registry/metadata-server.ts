import { readFile } from "node:fs/promises";
import { Secret } from "../../auth/secret.ts";
import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { collect } from "../../oci/stream.ts";
import { proxiesOf } from "../../transport/proxies.ts";
import type { Res } from "../../transport/transport.ts";
import type { CredentialContext } from "../provider.ts";
import type { GoogleToken } from "./google-token.ts";

const address = "169.254.169.254";
const path = "/computeMetadata/v1/instance/service-accounts/default/token";
const answerLimit = 64 * 1024;
/** In milliseconds: where something says that this is a machine of Google's, and where nothing does. */
const patience = { hinted: 1000, otherwise: 250 };
/** What Cloud Run, functions and App Engine set. */
const platformVariables = ["K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_TARGET", "GAE_SERVICE"];

/**
 * The token of the service account that this machine or pod runs as, from the metadata server of Compute Engine and GKE.
 * Undefined where there is no such server, which takes a quarter of a second at most where nothing points to one.
 */
export async function machineToken(
  context: Pick<CredentialContext, "env" | "transport" | "clock">,
  { signal, product = productName }: { readonly signal?: AbortSignal; readonly product?: () => Promise<string> } = {},
): Promise<GoogleToken | undefined> {
  const { env, clock } = context;
  const detection = env["METADATA_SERVER_DETECTION"]?.toLowerCase();
  if (detection === "none" || env["NO_GCE_CHECK"]?.toLowerCase() === "true") return undefined;
  const named = env["GCE_METADATA_HOST"] || env["GCE_METADATA_IP"];
  const isHinted =
    Boolean(named) ||
    detection === "assume-present" ||
    platformVariables.some((name) => env[name]) ||
    /^Google\b/.test(await product());
  const url = URL.parse(`http://${named || address}${path}`);
  if (!url) throw new RegistryError("INVALID", "GCE_METADATA_HOST is no host name");
  if (isProxied(url, env)) {
    if (!isHinted) return undefined;
    throw new RegistryError("INVALID", "the metadata server of Google is not asked through a proxy", {
      hint: `add ${url.hostname} to NO_PROXY`,
    });
  }
  try {
    const response = await ask(url, context, isHinted ? patience.hinted : patience.otherwise, signal);
    return await readToken(response, url, clock.now());
  } catch (error) {
    if (!isHinted && isRegistryError(error) && !signal?.aborted) return undefined;
    throw error;
  }
}

/** A proxy may stand on a machine of Google's itself, and would give its own token. */
function isProxied(url: URL, env: CredentialContext["env"]): boolean {
  try {
    return proxiesOf(env, () => ({}))(url) !== undefined;
  } catch {
    return true;
  }
}

async function ask(
  url: URL,
  { transport, clock }: Pick<CredentialContext, "transport" | "clock">,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Res & { readonly text: string }> {
  const late = new AbortController();
  const done = new AbortController();
  clock.sleep(limit, done.signal).then(
    () => late.abort(),
    () => {},
  );
  try {
    const response = await transport({
      method: "GET",
      url,
      headers: { "metadata-flavor": "Google" },
      anonymous: true,
      brief: true,
      signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    });
    return { ...response, text: new TextDecoder().decode(await collect(response.body, answerLimit)) };
  } catch (error) {
    if (!late.signal.aborted || signal?.aborted) throw error;
    throw new RegistryError("TIMEOUT", `Google's metadata server at ${url.host} does not answer`, {
      host: url.host,
      hint: "set METADATA_SERVER_DETECTION=none where there is none",
    });
  } finally {
    done.abort();
  }
}

/** A machine without a service account answers 404; what does not say that it is Google's is none of it. */
async function readToken(
  { status, headers, text }: Res & { readonly text: string },
  { host }: URL,
  now: number,
): Promise<GoogleToken | undefined> {
  if (headers["metadata-flavor"] !== "Google" || status === 404) return undefined;
  const body = parse(text);
  const { access_token: token, expires_in: seconds } = isObject(body) ? body : {};
  if (status !== 200 || typeof token !== "string" || typeof seconds !== "number") {
    throw new RegistryError("UNAVAILABLE", `Google's metadata server at ${host} answered ${status}, without a token`, {
      host,
      status,
      hint: "see whether the service account of this machine or pod is enabled, and may be used by it",
    });
  }
  return { token: new Secret(token), expires: now + seconds * 1000 };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the firmware calls this machine. */
async function productName(): Promise<string> {
  return readFile("/sys/class/dmi/id/product_name", "utf8").catch(() => "");
}
