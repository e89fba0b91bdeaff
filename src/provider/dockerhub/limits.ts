import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { apiHost } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { parseQuota } from "../../transport/rate-limit.ts";
import { discard } from "../../transport/transport.ts";
import type { ServiceContext } from "../provider.ts";
import type { Allowance } from "../service.ts";
import { pathOf, type Hub } from "./api.ts";

/** What is left of the pulls, which to ask costs none, and of the API's requests. */
export async function hubAllowances(context: ServiceContext, hub: Hub, call: Call = {}): Promise<readonly Allowance[]> {
  const [pulls, requests] = await Promise.all([pullsLeft(context, call), requestsLeft(context, hub, call)]);
  return [pulls, ...requests];
}

async function pullsLeft({ authenticated, host, clock }: ServiceContext, call: Call): Promise<Allowance> {
  const registry = apiHost(host);
  const url = new URL(`https://${registry}/v2/ratelimitpreview/test/manifests/latest`);
  const response = await authenticated({
    method: "HEAD",
    url,
    headers: {
      accept: "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json",
    },
    ...call,
  });
  await discard(response);
  const { status, headers, credential } = response;
  const told = parseQuota(headers, clock.now());
  if (told) return { what: "pulls", unit: "pulls", ...told };
  if (status >= 200 && status <= 299) return { what: "pulls", unit: "pulls", unlimited: true };
  throw new RegistryError(
    status === 401 ? "UNAUTHORIZED" : status === 429 ? "TOOMANYREQUESTS" : status >= 500 ? "UNAVAILABLE" : "UNKNOWN",
    `cannot ask Docker Hub for the limit of pulls: it answered ${status}`,
    { host, status, credential, retryable: status === 429 || status >= 500 },
  );
}

/** Any answer of the API tells; where it cannot be reached, the pulls alone are told. */
async function requestsLeft({ clock, onWarning }: ServiceContext, hub: Hub, call: Call): Promise<readonly Allowance[]> {
  try {
    const { headers } = await hub.send("GET", pathOf({ namespace: "library" }), {
      ...call,
      what: "ask Docker Hub for the limit of its API",
      query: { page_size: 1 },
    });
    const told = parseQuota(headers, clock.now());
    return told ? [{ what: "API requests", unit: "requests", windowSeconds: 60, ...told }] : [];
  } catch (error) {
    if (!isRegistryError(error) || error.code === "ABORTED") throw error;
    onWarning?.(error.message);
    return [];
  }
}
