import type { Credential } from "../../auth/credential.ts";
import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { isRepository } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { discard, type Res, type Transport } from "../../transport/transport.ts";
import { objectsIn, textOf } from "../answers.ts";
import { messageIn } from "../api-error.ts";
import { jsonApi, type ApiFault, type JsonAnswer, type JsonApi, type JsonRequest } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import { hubTokens, type HubLogin, type HubTokens } from "./tokens.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Docker Hub's own API, spoken to with the login for one repository or namespace. */
export interface Hub extends JsonApi {
  /** The entries of a list, page by page. */
  lists(path: string, request?: JsonRequest): AsyncIterable<readonly Fields[]>;
  /** Whose login it is. */
  account(call?: Call): Promise<string | undefined>;
}

/** Opens the API for a repository or namespace. With `needs`, a right, there must be a login; else what is public will do. */
export type OpenHub = (path?: string, needs?: string) => Hub;

/** The most entries of a page. */
export const pageSize = 100;

/** Sends nothing yet. Logins go to Docker Hub's own host, or to the API that the user names, for nobody else's host. */
export function openHub(context: ServiceContext, isOwnHost: boolean): OpenHub {
  const named = context.api(context.host);
  const base = new URL(named ?? "https://hub.docker.com");
  const tokens = hubTokens(context, base);
  const mayLogIn = isOwnHost || named !== undefined;

  return (path, needs) => {
    let finding: Promise<Credential | undefined> | undefined;
    const find = async (call?: Call): Promise<Credential | undefined> => {
      if (!mayLogIn) return undefined;
      finding ??= context.credential(path, call);
      finding.catch(() => (finding = undefined));
      return finding;
    };
    const login = async (call?: Call): Promise<HubLogin | undefined> => {
      const found = await find(call);
      if (found?.kind === "basic") return found;
      if (needs !== undefined) throw loginMissing(base.host, needs, found);
      return undefined;
    };
    const api = jsonApi({
      transport: renewing(context, tokens, login),
      base,
      title: "Docker Hub",
      isInsecure: context.isInsecure,
      async headers(call): Promise<Readonly<Record<string, string>>> {
        const own = await login(call);
        return own ? { authorization: `Bearer ${(await tokens.of(own, call)).reveal()}` } : {};
      },
      error: (answer) => hubFault(answer, needs),
    });
    return {
      ...api,
      lists: (below, request) => lists(api, base.host, below, request),
      account: async (call) => (await login(call))?.username,
    };
  };
}

/** Sends again, with a new token, what was refused although its token should have been good. */
function renewing(
  { transport, clock }: ServiceContext,
  tokens: HubTokens,
  login: (call?: Call) => Promise<HubLogin | undefined>,
): Transport {
  return async (request) => {
    const response = await transport(request);
    const token = request.headers["authorization"]?.slice("Bearer ".length);
    if (response.status !== 401 || token === undefined) return inSeconds(response, clock.now());
    const call = request.signal ? { signal: request.signal } : {};
    const own = await login(call);
    if (!own || !tokens.forget(own, token)) return response;
    await discard(response);
    const headers = { ...request.headers, authorization: `Bearer ${(await tokens.of(own, call)).reveal()}` };
    return inSeconds(await transport({ ...request, headers }), clock.now());
  };
}

/** Docker Hub tells of the moment when to come again, in seconds since 1970, where others tell how long to wait. */
function inSeconds(response: Res, now: number): Res {
  const moment = response.headers["x-retry-after"];
  if (response.headers["retry-after"] !== undefined || moment === undefined || !/^\d{9,10}$/.test(moment))
    return response;
  const wait = Math.max(0, Math.ceil(Number(moment) - now / 1000));
  return { ...response, headers: { ...response.headers, "retry-after": String(wait) } };
}

async function* lists(
  api: JsonApi,
  host: string,
  path: string,
  request: JsonRequest = {},
): AsyncGenerator<readonly Fields[], void> {
  const query = { page_size: pageSize, ...request.query };
  for await (const { body } of api.pages(path, { ...request, query, next: nextPage })) {
    if (!isObject(body) || !Array.isArray(body["results"])) {
      throw new RegistryError(
        "NETWORK",
        `cannot ${request.what ?? "list"}: something else answered in Docker Hub's place`,
        {
          host,
          hint: "where its API is elsewhere, say so in the configuration: hosts.HOST.api",
        },
      );
    }
    yield objectsIn(body["results"]);
  }
}

/** Of the link to the next page only the number counts: its host is Docker Hub's own, whoever was asked. */
function nextPage({ body }: JsonAnswer): Readonly<Record<string, string>> | undefined {
  const { next, results } = isObject(body) ? body : {};
  if (typeof next !== "string" || !URL.canParse(next) || !Array.isArray(results) || results.length === 0)
    return undefined;
  const page = new URL(next).searchParams.get("page");
  return page !== null && /^\d{1,9}$/.test(page) ? { page } : undefined;
}

function hubFault({ status, body }: JsonAnswer, needs: string | undefined): ApiFault {
  const text = messageIn(body) ?? (isObject(body) ? textOf(body["text"]) : undefined);
  const hint = hintOf(status, needs);
  return { message: text, ...(hint !== undefined && { hint }) };
}

function hintOf(status: number, needs = "Public Repo Read-only"): string | undefined {
  if (status === 403)
    return `the account must have that right in the namespace, and its access token the scope ${needs}`;
  if (status === 404) return "it is misspelt, or private and not this account's: Docker Hub does not tell which";
  if (status === 429) return "wait some minutes; this limit is not that of pulls";
  return undefined;
}

function loginMissing(host: string, needs: string, found: Credential | undefined): RegistryError {
  const origin = found?.origin ? ` (${found.origin})` : "";
  return new RegistryError(
    "UNAUTHORIZED",
    found
      ? `Docker Hub's API takes a user with a password or access token, and no bare token${origin}`
      : "Docker Hub wants a login for this",
    { host, hint: `log in to docker.io with an access token that has the scope ${needs}: gantry login docker.io` },
  );
}

/** A repository's namespace and its name therein. */
export interface HubName {
  readonly namespace: string;
  readonly name: string;
}

/** Reads a name as references have it; one part alone is in `library`. Throws INVALID for what Docker Hub cannot have. */
export function hubName(repository: string): HubName {
  const [first = "", second, ...more] = repository.split("/");
  if (!isRepository(repository) || more.length > 0) {
    throw new RegistryError("INVALID", `${JSON.stringify(repository)} is no name of a repository at Docker Hub`, {
      hint: "write NAMESPACE/NAME, in lower case",
    });
  }
  return second === undefined ? { namespace: "library", name: first } : { namespace: first, name: second };
}

/** Where the API has a namespace's repositories, or one of them. */
export function pathOf({ namespace, name }: { readonly namespace: string; readonly name?: string }): string {
  const path = `/v2/namespaces/${encodeURIComponent(namespace)}/repositories`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}
