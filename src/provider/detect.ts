import { parseChallenges, type Challenge } from "../auth/challenge.ts";
import { wayOf } from "../auth/way.ts";
import { isRegistryError } from "../oci/error.ts";
import { apiHost } from "../oci/reference.ts";
import { collect } from "../oci/stream.ts";
import type { Call } from "../store/store.ts";
import { discard, type Res, type Transport } from "../transport/transport.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { generic } from "./generic.ts";
import type { Provider } from "./provider.ts";
import { providerOf, providers } from "./providers.ts";

/** What a registry is, and what told. */
export interface Detection {
  readonly provider: Provider;
  /** Its host, its challenge, a header, an answer of its API, or nothing. */
  readonly by: "host" | "challenge" | "header" | "probe" | "nothing";
}

/**
 * Which service a host (`name[:port]`) belongs to: by the table of hosts, then by the challenge and the headers of `/v2/`,
 * then by what services' own addresses answer. Sends no login.
 */
export async function detect(host: string, transport: Transport, call?: Call): Promise<Detection> {
  const known = providerOf(host);
  if (known) return { provider: known, by: "host" };
  const answer = await versionCheck(host, transport, call);
  const challenged = providerOfChallenges(host, answer.challenges);
  if (challenged) return { provider: challenged, by: "challenge" };
  const announced = providerOfHeaders(answer.headers);
  if (announced) return { provider: announced, by: "header" };
  for (const provider of providers) {
    if (provider.probe && (await isFitting(host, provider.probe, transport, call))) return { provider, by: "probe" };
  }
  return { provider: generic, by: "nothing" };
}

/** The challenges that a registry's version check is answered with. */
export async function versionCheck(
  host: string,
  transport: Transport,
  call: Call = {},
): Promise<{
  readonly challenges: readonly Challenge[];
  readonly headers: Res["headers"];
  readonly realm: URL | undefined;
}> {
  const url = new URL(`https://${apiHost(host)}/v2/`);
  const response = await transport({ method: "GET", url, headers: {}, anonymous: true, ...call });
  await discard(response);
  return {
    challenges: parseChallenges(response.headers["www-authenticate"]),
    headers: response.headers,
    realm: wayOf(url, response)?.bearer?.realm,
  };
}

/** The service that sends these challenges for itself as `host`; undefined where they are nobody's in particular. */
export function providerOfChallenges(host: string, challenges: readonly Challenge[]): Provider | undefined {
  return providers.find(({ fingerprints }) =>
    fingerprints.some((fingerprint) => challenges.some((challenge) => isSent(fingerprint, challenge, host))),
  );
}

/** The service whose own header is among these. */
export function providerOfHeaders(headers: Res["headers"]): Provider | undefined {
  return providers.find(({ header }) => header !== undefined && headers[header] !== undefined);
}

/** Whether a challenge is one that such a service sends for itself as `host`. */
export function isSent({ scheme, realm, service }: Fingerprint, challenge: Challenge, host: string): boolean {
  const fits = (pattern: RegExp, text = ""): boolean => pattern.test(text) || pattern.test(text.replace(host, "HOST"));
  return (
    challenge.scheme === scheme &&
    fits(realm, challenge.params.get("realm")) &&
    (service === undefined || fits(service, challenge.params.get("service")))
  );
}

const probeLimit = 64 * 1024;

async function isFitting(
  host: string,
  { path, fits }: NonNullable<Provider["probe"]>,
  transport: Transport,
  call: Call = {},
): Promise<boolean> {
  const url = new URL(path, `https://${apiHost(host)}`);
  const response = await transport({
    method: "GET",
    url,
    headers: { accept: "application/json" },
    anonymous: true,
    ...call,
  });
  const { status, headers } = response;
  try {
    const text = new TextDecoder().decode(await collect(response.body, probeLimit));
    return fits({ status, headers, body: JSON.parse(text) as unknown });
  } catch (error) {
    if (isRegistryError(error) && error.code !== "TOO_LARGE") throw error;
    // A page, or more than any such answer has: not the service's.
    return fits({ status, headers, body: undefined });
  }
}
