import type { Credential } from "../../auth/credential.ts";
import { Secret } from "../../auth/secret.ts";
import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { apiHost, isRepository } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { objectsIn } from "../answers.ts";
import { messageIn } from "../api-error.ts";
import { jsonApi, type ApiFault, type JsonAnswer, type JsonApi, type JsonRequest, type Next } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Quay's own API, spoken to with the OAuth token that was found for one repository or namespace. */
export interface Quay extends JsonApi {
  readonly host: string;
  /** The objects of the list `field`, page by page. */
  lists(path: string, request: ListRequest): AsyncIterable<readonly Fields[]>;
  /** The object that a path answers with. */
  object(path: string, request: JsonRequest): Promise<Fields>;
  hasToken(call?: Call): Promise<boolean>;
}

export interface ListRequest extends JsonRequest {
  readonly field: string;
  readonly next?: Next;
}

export interface Purpose {
  /** The scope that the token must have; without it, what is public will do, and no token is a must. */
  readonly needs?: "repo:create" | "repo:write" | "repo:admin" | "org:admin" | "user:read";
  /** What in Quay's configuration switches the API on that is asked. */
  readonly feature?: string;
}

/** Opens the API for a repository or namespace, which may be empty. */
export type OpenQuay = (path: string, purpose?: Purpose) => Quay;

/** Sends nothing yet. The token goes to the registry's own origin, or to the API that the user names. */
export function openQuay(context: ServiceContext, title: string, isOwnHost: boolean): OpenQuay {
  const { host, transport, isInsecure, env } = context;
  const base = new URL(context.api(host) ?? `https://${apiHost(host)}`);
  const variable = isOwnHost ? env["QUAY_OAUTH_TOKEN"] : undefined;

  return (path, purpose = {}) => {
    let finding: Promise<Credential | undefined> | undefined;
    let login: Credential | undefined;
    const token = async (call?: Call): Promise<Secret | undefined> => {
      finding ??= context.credential(path, call);
      finding.catch(() => (finding = undefined));
      login = await finding;
      return tokenOf(login) ?? (variable ? new Secret(variable) : undefined);
    };
    const api = jsonApi({
      transport,
      base,
      title,
      isInsecure,
      async headers(call): Promise<Readonly<Record<string, string>>> {
        const own = await token(call);
        if (!own && purpose.needs) throw tokenMissing(host, purpose.needs, login);
        return own ? { authorization: `Bearer ${own.reveal()}` } : {};
      },
      error: (answer) => quayFault(answer, purpose, login),
    });
    const send: Quay["send"] = (method, below, request) => api.send(method, `/api/v1${below}`, request);
    return {
      ...api,
      send,
      host,
      hasToken: async (call) => (await token(call)) !== undefined,
      async object(below, request) {
        const { body } = await send("GET", below, request);
        if (isObject(body)) return body;
        throw notQuay(base.host, request);
      },
      async *lists(below, { field, ...request }) {
        for await (const { body } of api.pages(`/api/v1${below}`, request)) {
          if (!isObject(body) || !Array.isArray(body[field])) throw notQuay(base.host, request);
          yield objectsIn(body[field]);
        }
      },
    };
  };
}

/** The API takes OAuth tokens alone: the password of the user `$oauthtoken`, or a token that is used as it is. */
function tokenOf(login: Credential | undefined): Secret | undefined {
  if (login?.kind === "bearer") return login.token;
  return login?.kind === "basic" && login.username === "$oauthtoken" ? login.password : undefined;
}

const elsewhere = "where the API is elsewhere than the registry, say so in the configuration: hosts.HOST.api";

/** What a refusal means. Whether what is asked for is missing or an API is switched off, the form of a 404 tells. */
function quayFault(answer: JsonAnswer, { needs, feature }: Purpose, login: Credential | undefined): ApiFault {
  const { status, body } = answer;
  const fields = isObject(body) ? body : {};
  const type = fields["error_type"] ?? fields["title"];
  if (status === 404 && type !== "not_found") {
    return feature
      ? { code: "UNSUPPORTED", message: `${feature} is not on`, hint: `its administrator sets ${feature} to true` }
      : { code: "NETWORK", message: "this is not Quay's API", hint: elsewhere };
  }
  const hint = hintOf(status, type, needs, login);
  const isDenied = type === "exceeds_license" || type === "tag_immutable";
  return { message: messageIn(body), ...(isDenied && { code: "DENIED" }), ...(hint !== undefined && { hint }) };
}

function hintOf(
  status: number,
  type: unknown,
  needs: string | undefined,
  login: Credential | undefined,
): string | undefined {
  if (type === "expired_token") return "the OAuth token has expired: make a new one";
  if (type === "exceeds_license") return "the plan of the namespace has no more private repositories";
  if (type === "tag_immutable") return "an immutability policy keeps the tag";
  if (status === 403) return `the OAuth token needs the scope ${needs ?? "repo:read"}, and who made it that right`;
  if (status === 401)
    return `${robotWords(login)}it is private or not there, or the OAuth token is wrong; ${wayOut(needs ?? "repo:read")}`;
  if (status === 429) return "the web server before it limits requests by address or login: wait a minute";
  return undefined;
}

function robotWords(login: Credential | undefined): string {
  return login?.kind === "basic" && login.username !== "$oauthtoken"
    ? `the login of ${login.username} is for the registry alone; `
    : "";
}

function wayOut(scope: string): string {
  return `give an OAuth token with the scope ${scope} as the password of the user $oauthtoken, or for quay.io in QUAY_OAUTH_TOKEN`;
}

function tokenMissing(host: string, needs: string, login: Credential | undefined): RegistryError {
  const found = login?.kind === "basic" ? `, and takes no login such as that of ${login.username}` : "";
  return new RegistryError("UNAUTHORIZED", `the API of ${host} wants an OAuth token${found}`, {
    host,
    credential: login?.origin,
    hint: wayOut(needs),
  });
}

function notQuay(host: string, { what = "speak to Quay" }: JsonRequest): RegistryError {
  return new RegistryError("NETWORK", `cannot ${what}: something else answered in the place of Quay's API`, {
    host,
    hint: elsewhere,
  });
}

/** The namespace of a repository, or the one that is named alone, and where the API has it. Throws INVALID. */
export function placeOf(repository: string): {
  readonly namespace: string;
  readonly path: string;
  readonly isWhole: boolean;
} {
  if (!isRepository(repository)) {
    throw new RegistryError("INVALID", `${JSON.stringify(repository)} is no name of a repository`, {
      hint: "write NAMESPACE/NAME, in lower case",
    });
  }
  const [namespace = ""] = repository.split("/");
  const isWhole = namespace === repository;
  return { namespace, isWhole, path: isWhole ? `/organization/${namespace}` : `/repository/${repository}` };
}

/** Where the API has a repository. Throws INVALID for a namespace alone. */
export function repositoryPath(repository: string): string {
  const { path, isWhole } = placeOf(repository);
  if (!isWhole) return path;
  throw new RegistryError("INVALID", `${repository} is a namespace, and no repository`, {
    hint: "write NAMESPACE/NAME",
  });
}
