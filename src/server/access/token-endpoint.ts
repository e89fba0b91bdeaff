import { collect } from "../../oci/stream.ts";
import { isRegistryError } from "../../oci/error.ts";
import { faultReply, jsonReply, type Reply, type ServerRequest } from "../message.ts";
import { parseBasic } from "./authorization.ts";
import type { Origin } from "./origin.ts";
import type { Passwords } from "./passwords.ts";
import type { Policy } from "./policy.ts";
import { badHost, tooManyFailures } from "./refusals.ts";
import { formatScopes, granted, parseScopes } from "./scope.ts";
import type { Identity, Tokens } from "./tokens.ts";

export interface TokenEndpointOptions {
  readonly originOf: (request: ServerRequest) => Origin | undefined;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  readonly policy: Policy;
  /** Whether tokens outlive this process, so that a refresh token is worth more than the password to a client. */
  readonly lasting: boolean;
}

/** Where the token endpoint is: the path of a challenge's realm. */
export const tokenPath = "/token";

const formLimit = 65_536;
const noStore = { "cache-control": "no-store" };

/**
 * Answers the token endpoint (distribution, "Token Authentication Specification" and "Oauth2 Token Authentication"):
 * 401 for wrong credentials alone; asked for too much, it grants what is allowed and says 200.
 */
export function tokenEndpoint(options: TokenEndpointOptions): (request: ServerRequest) => Promise<Reply> {
  return async (request) => {
    const origin = options.originOf(request);
    if (!origin) return badHost();
    if (request.method === "GET") return await answerGet(options, request, origin);
    if (request.method === "POST") return await answerPost(options, request, origin);
    const headers = { allow: "GET, POST" };
    return faultReply(405, "UNSUPPORTED", `${tokenPath} takes GET and POST`, { headers });
  };
}

/** What a form or query asks for, whoever asks. */
interface Wish {
  readonly parameters: URLSearchParams;
  readonly origin: Origin;
  readonly offline: boolean;
}

async function answerGet(options: TokenEndpointOptions, request: ServerRequest, origin: Origin): Promise<Reply> {
  const query = request.target.indexOf("?");
  const parameters = new URLSearchParams(query < 0 ? "" : request.target.slice(query + 1));
  const wish = { parameters, origin, offline: parameters.get("offline_token") === "true" };
  const header = request.headers["authorization"];
  if (header === undefined) return await answer(options, wish, undefined);
  const credential = parseBasic(header);
  if (!credential) return wrongCredentials(origin);
  return await answerLogin(options, wish, credential.user, credential.password);
}

async function answerPost(options: TokenEndpointOptions, request: ServerRequest, origin: Origin): Promise<Reply> {
  const parameters = await readForm(request);
  if (!parameters) return faultReply(400, "UNSUPPORTED", "the body is not a form of at most 64 KiB");
  const wish = { parameters, origin, offline: parameters.get("access_type") === "offline" };
  switch (parameters.get("grant_type")) {
    case "password":
      return await answerLogin(options, wish, parameters.get("username") ?? "", parameters.get("password") ?? "");
    case "refresh_token": {
      const token = parameters.get("refresh_token") ?? "";
      const identity = await options.tokens.readRefresh(token, origin.service);
      return identity ? await answer(options, { ...wish, offline: false }, identity) : wrongCredentials(origin);
    }
    default:
      return faultReply(400, "UNSUPPORTED", "grant_type is neither password nor refresh_token");
  }
}

async function answerLogin(options: TokenEndpointOptions, wish: Wish, user: string, password: string): Promise<Reply> {
  const login = await options.passwords(user, password, wish.origin.client);
  if (login.ok) return await answer(options, wish, login);
  return login.wait === undefined ? wrongCredentials(wish.origin) : tooManyFailures(login.wait);
}

async function answer(options: TokenEndpointOptions, wish: Wish, identity: Identity | undefined): Promise<Reply> {
  const { parameters, origin, offline } = wish;
  const { service } = origin;
  const asked = parameters.get("service");
  if (asked !== null && asked !== service) {
    return faultReply(400, "UNSUPPORTED", `this is the service ${service}, and gives no tokens for another`);
  }
  const { policy, tokens, lasting } = options;
  const scopes = parseScopes(parameters.getAll("scope"));
  const rights = granted(scopes, policy, identity?.user);
  const { token, lifetime, issued } = await tokens.issue({ service, rights, ...(identity && { identity }) });
  const refresh = identity && offline && lasting ? await tokens.issueRefresh(identity, service) : undefined;
  return jsonReply(
    200,
    {
      token,
      access_token: token,
      scope: formatScopes(rights),
      expires_in: lifetime,
      issued_at: issued.toISOString(),
      ...(refresh !== undefined && { refresh_token: refresh }),
    },
    noStore,
  );
}

async function readForm(request: ServerRequest): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers["content-type"] ?? "")) return undefined;
  try {
    return new URLSearchParams(Buffer.from(await collect(request.body(), formLimit)).toString("utf8"));
  } catch (error) {
    if (isRegistryError(error, "TOO_LARGE")) return undefined;
    throw error;
  }
}

function wrongCredentials({ service }: Origin): Reply {
  const headers = { ...noStore, "www-authenticate": `Basic realm="${service}"` };
  return faultReply(401, "UNAUTHORIZED", "these credentials are not right", { headers });
}
