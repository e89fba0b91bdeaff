import { until } from "../../auth/until.ts";
import { checkRealm } from "../../auth/way.ts";
import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { apiHost } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { jsonApi, type JsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import { faultOf, noQueries, queryFault } from "./fault.ts";
import { loginOf, type Login } from "./login.ts";

/** GitLab's APIs, with the registry's login; where they are is found out with the first request. */
export interface GitLab {
  rest(call?: Call): Promise<JsonApi>;
  /** The data that GraphQL answers with. Throws DENIED for a login that it does not take, UNSUPPORTED where GitLab is too old. */
  query(what: string, query: string, variables: object, call?: Call): Promise<Readonly<Record<string, unknown>>>;
  login(call?: Call): Promise<Login>;
}

/** Where the REST API of a GitLab is, found out once. */
export type Base = (call?: Call) => Promise<URL>;

/** Speaks to a GitLab with the login for a path in its registry, for one call of a service. */
export function gitLab(context: ServiceContext, base: Base, path: string): GitLab {
  const { transport, isInsecure, host } = context;
  let kind: Login["kind"] = "none";
  // Looked up once, as a helper may have to be started for it.
  let found: Promise<Login> | undefined;
  const login = async (call?: Call): Promise<Login> => {
    found ??= context.credential(path, call).then(loginOf);
    ({ kind } = await found);
    return found;
  };
  const rest = async (call?: Call): Promise<JsonApi> =>
    jsonApi({
      transport,
      base: await base(call),
      title: "GitLab",
      isInsecure,
      headers: async (now) => (await login(now)).headers,
      error: (answer) => faultOf(answer, kind),
    });
  return {
    rest,
    login,
    async query(what, query, variables, call) {
      const refused = noQueries((await login(call)).kind, what, host);
      if (refused) throw refused;
      const url = new URL(await base(call));
      url.pathname = url.pathname.replace(/\/v4\/?$/, "/graphql");
      const api = await rest(call);
      const { body } = await api.send("POST", url.href, { what, body: { query, variables }, ...call });
      const fault = queryFault(body, what, url.host);
      if (fault) throw fault;
      return isObject(body) && isObject(body["data"]) ? body["data"] : {};
    },
  };
}

/**
 * Where the API is: as the user says; of GitLab.com where it is known to be; of any other below the address where its
 * registry sends logins anyway. CI_API_V4_URL counts where it is of that origin.
 */
export function baseOf(context: ServiceContext, isGitLabCom: boolean): Base {
  const { host, api, env, isInsecure } = context;
  const find = async (): Promise<URL> => {
    const set = api(host);
    if (set !== undefined) return versioned(new URL(set));
    if (isGitLabCom) return new URL("https://gitlab.com/api/v4");
    const realm = await context.realm();
    if (!realm) {
      throw new RegistryError("INVALID", `${host} does not tell where its GitLab is`, {
        host,
        hint: `say so in your configuration (~/.config/gantry/config.yaml): hosts["${host}"].api`,
      });
    }
    checkRealm(new URL(`https://${apiHost(host)}`), realm, true, isInsecure);
    const variable = env["CI_API_V4_URL"];
    if (variable && URL.parse(variable)?.origin === realm.origin) return new URL(variable);
    // A GitLab may be below a path of its host: https://host.example/gitlab/jwt/auth.
    const root = realm.pathname.replace(/\/(?:jwt\/auth)?$/, "");
    return new URL(`${root}/api/v4`, realm.origin);
  };
  let found: Promise<URL> | undefined;
  return (call) => {
    // For all who ask: the first of them may give up.
    found ??= find();
    found.catch(() => (found = undefined));
    return until(found, call?.signal);
  };
}

function versioned(url: URL): URL {
  return url.pathname === "/" ? new URL("/api/v4", url) : url;
}
