import type { Credential } from "../../auth/credential.ts";
import { RegistryError } from "../../oci/error.ts";
import { apiHost, isLoopback } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { jsonApi, type JsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import { faultOf, tokenKind, type TokenKind } from "./fault.ts";

/** GitHub's REST API, with the registry's login. */
export interface GitHub extends JsonApi {
  /** Whether there is a login; without one the API tells nothing, not even of what is public. */
  hasLogin(call?: Call): Promise<boolean>;
}

/** Speaks to the API of a registry with the login for a path in it, for one call of a service. */
export function gitHub(context: ServiceContext, base: URL, path: string): GitHub {
  const { transport, isInsecure, host, clock, onWarning } = context;
  let kind: TokenKind = "unknown";
  // Looked up once, as a helper may have to be started for it.
  let found: Promise<Credential | undefined> | undefined;
  const tokenOf = async (call?: Call): Promise<string | undefined> => {
    const credential = await (found ??= context.credential(path, call));
    return credential?.kind === "basic" ? credential.password.reveal() : undefined;
  };
  const api = jsonApi({
    transport,
    base,
    title: "GitHub",
    isInsecure,
    async headers(call) {
      const token = await tokenOf(call);
      if (token === undefined) {
        throw new RegistryError("UNAUTHORIZED", `GitHub's API wants a login for ${host}, also for what is public`, {
          host: base.host,
          hint: `log in with a classic token with read:packages: gantry login ${host}`,
        });
      }
      kind = tokenKind(token);
      return {
        accept: "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
        authorization: `Bearer ${token}`,
      };
    },
    error: (answer) => faultOf(answer, kind, clock.now()),
  });
  return {
    send: (method, path, request) => api.send(method, path, request),
    async *pages(path, request) {
      for await (const answer of api.pages(path, request)) {
        const [, hidden] =
          /^partial-results; *organizations=([\d,]{1,200})$/.exec(answer.headers["x-github-sso"] ?? "") ?? [];
        if (hidden !== undefined) {
          onWarning?.(`the list is not whole: organizations (${hidden}) want single sign-on for this token`);
        }
        yield answer;
      }
    },
    hasLogin: async (call) => (await tokenOf(call)) !== undefined,
  };
}

/**
 * Where the API of a registry is: as the user says, as GITHUB_API_URL says where that is of the same GitHub, or where
 * GitHub has it. A workflow on an Enterprise Server names that server's API, which must get no login of ghcr.io. Throws
 * INVALID where it is not known.
 */
export function apiOf({ host, api, env }: ServiceContext): URL {
  const set = api(host);
  if (set !== undefined) return new URL(set);
  const name = apiHost(host);
  const home = /^containers\.(.+)$/.exec(name)?.[1];
  if (name !== "ghcr.io" && home === undefined) {
    throw new RegistryError("INVALID", `it is not known where the API of ${host} is`, {
      host,
      hint: `say so in your configuration (~/.config/gantry/config.yaml): hosts["${host}"].api`,
    });
  }
  const own = home === undefined ? "api.github.com" : home.endsWith(".ghe.com") ? `api.${home}` : home;
  const variable = env["GITHUB_API_URL"];
  if (variable && URL.canParse(variable)) {
    const url = new URL(variable);
    if (url.host === own || isLoopback(url.host)) return url;
  }
  return new URL(own === home ? `https://${own}/api/v3` : `https://${own}`);
}
