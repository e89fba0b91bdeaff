import { basicHeader, type Credential } from "../../auth/credential.ts";
import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { apiHost } from "../../oci/reference.ts";
import { inOrder } from "../in-order.ts";
import { jsonApi, type JsonAnswer, type JsonApi, type JsonRequest } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import { elsewhere, harborFault } from "./faults.ts";
import { objects, type Fields } from "./fields.ts";

/** Harbor's own API, spoken to with the login for one path. */
export interface Harbor extends JsonApi {
  /** The pages of a list, the first before the second is asked for. */
  lists(path: string, request?: JsonRequest): AsyncIterable<readonly Fields[]>;
  /** The object that a path answers with. */
  object(path: string, request?: JsonRequest): Promise<Fields>;
}

/** Opens the API with the login for a repository or project; `needs` says who may do what it is opened for. */
export type OpenHarbor = (path?: string, needs?: string) => Harbor;

const root = "/api/v2.0";

/** Where the API is: at the registry's own origin, or where the user says. */
export function apiBase({ host, api }: Pick<ServiceContext, "host" | "api">): URL {
  const base = new URL(api(host) ?? `https://${apiHost(host)}`);
  const path = base.pathname.replace(/\/+$/, "");
  base.pathname = path.endsWith(root) ? path : `${path}${root}`;
  return base;
}

/** Sends nothing yet; the login is looked up once for each path that is opened. */
export function openHarbor(context: ServiceContext): OpenHarbor {
  const base = apiBase(context);
  return (path, needs) => {
    let finding: Promise<Credential | undefined> | undefined;
    let login: Credential | undefined;
    const api = jsonApi({
      transport: context.transport,
      base,
      title: "Harbor",
      isInsecure: context.isInsecure,
      async headers(call): Promise<Readonly<Record<string, string>>> {
        login = await (finding ??= context.credential(path, call));
        const authorization = login && authorizationOf(login);
        return authorization === undefined ? {} : { authorization };
      },
      error: (answer) => harborFault(answer, login, needs),
    });
    return {
      ...api,
      lists: (below, request) => lists(api, base.host, below, request),
      async object(below, request) {
        const { body } = await api.send("GET", below, request);
        if (isObject(body)) return body;
        throw notHarbor(base.host, request);
      },
    };
  };
}

/** A token that is used as it is may be that of an OIDC session; an identity token is never Harbor's. */
function authorizationOf(login: Credential): string | undefined {
  if (login.kind === "bearer") return `Bearer ${login.token.reveal()}`;
  return login.kind === "basic" ? basicHeader(login) : undefined;
}

/** The most entries of a page. */
export const pageSize = 100;
const pagesAtOnce = 4;

/**
 * Pages are asked for by their number, as the links that Harbor gives are of its own paths and lose their encoding. Ends
 * where the count of all says so, or a page brings nothing new.
 */
async function* lists(
  api: JsonApi,
  host: string,
  path: string,
  request: JsonRequest = {},
): AsyncGenerator<readonly Fields[], void> {
  const ask = async (page: number): Promise<Page> => {
    const query = { page_size: pageSize, ...request.query, page };
    return pageOf(await api.send("GET", path, { ...request, query }), host, request);
  };
  const size = Number(request.query?.["page_size"] ?? pageSize);
  const seen = new Set<unknown>();
  const fresh = ({ items }: Page): readonly Fields[] =>
    items.filter((item) => {
      const { id, project_id: project } = item;
      const key = id ?? project ?? JSON.stringify(item);
      return !seen.has(key) && seen.add(key);
    });
  const first = await ask(1);
  const { total } = first;
  // Where nobody says how many there are, no page is asked for before the one ahead of it was full.
  let full = first.items.length >= size;
  const numbers = function* (): Generator<number, void> {
    for (let page = 2; total === undefined ? full : (page - 1) * size < total; page++) yield page;
  };
  let items = fresh(first);
  yield items;
  if (items.length === 0) return;
  for await (const page of inOrder(numbers(), total === undefined ? 1 : pagesAtOnce, ask)) {
    full = page.items.length >= size;
    items = fresh(page);
    yield items;
    if (items.length === 0) return;
  }
}

interface Page {
  readonly items: readonly Fields[];
  /** How many there are on all pages. */
  readonly total: number | undefined;
}

function pageOf({ body, headers }: JsonAnswer, host: string, request: JsonRequest): Page {
  if (body !== null && !Array.isArray(body)) throw notHarbor(host, request);
  const total = headers["x-total-count"];
  return { items: objects(body), total: total !== undefined && /^\d{1,15}$/.test(total) ? Number(total) : undefined };
}

/** The error for a success that is not what Harbor would answer. */
function notHarbor(host: string, { what = "speak to Harbor" }: JsonRequest = {}): RegistryError {
  return new RegistryError("NETWORK", `cannot ${what}: something else answered in the place of Harbor's API`, {
    host,
    hint: elsewhere,
  });
}
